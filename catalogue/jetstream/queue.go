package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tacit-vm/tacit/catalogue"
)

const (
	streamName = "tacit-jobs"
	jobsKept   = 7 * 24 * time.Hour // of a version that has no workers
	maxJob     = 256 << 10          // bytes
)

// DefaultLease is how long a worker has a boot without saying that it is still at it. Then another gets it.
const DefaultLease = 30 * time.Second

// jobsStream has each job once: a subject is a boot of one version, and takes no second message before the first has been
// acknowledged, and so is gone.
func jobsStream(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: streamName, Description: "boots to run", Subjects: []string{"tacit.jobs.*.*"},
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: replicas,
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxAge: jobsKept, MaxMsgSize: maxJob,
	}
}

// version is a tool's version as a token of a subject.
func version(tool string) string {
	sum := sha256.Sum256([]byte(tool))
	return hex.EncodeToString(sum[:8])
}

// storeFailed is the server's code for a message that a stream has no room for. Its words say why (JSStreamStoreFailedF in
// the server's errors.json, ErrMaxMsgsPerSubject in its store.go).
const (
	storeFailed = 10077
	perSubject  = "maximum messages per subject exceeded"
)

// Ask queues a job for workers of the version. One that is queued, or that a worker has, is not queued again.
func (s *Store) Ask(ctx context.Context, tool string, j catalogue.Job) error {
	key := j.Key(tool)
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if len(text) > maxJob-4<<10 {
		return fmt.Errorf("job %.16s: %d bytes are too many", key, len(text))
	}
	err = s.patiently(ctx, func(ctx context.Context) error {
		_, err := s.js.Publish(ctx, "tacit.jobs."+version(tool)+"."+key, text)
		return err
	})
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) && api.ErrorCode == storeFailed && api.Description == perSubject {
		return nil
	}
	if err != nil {
		return fmt.Errorf("job %.16s: %w", key, err)
	}
	return nil
}

// Kept calls heard with the key of each result that is kept from now on, until ctx is done or the connection ends for
// good. It returns when it listens. It may miss some while servers come and go.
func (s *Store) Kept(ctx context.Context, heard func(key string)) error {
	watch, err := s.results.WatchAll(ctx, jetstream.UpdatesOnly(), jetstream.IgnoreDeletes(), jetstream.MetaOnly())
	if err != nil {
		return fmt.Errorf("%s: %w", s.results.Bucket(), err)
	}
	go func() {
		defer watch.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case entry, open := <-watch.Updates():
				if !open {
					return
				}
				if entry != nil {
					heard(entry.Key())
				}
			}
		}
	}()
	return nil
}

// Depth is how the queue of a version stands.
type Depth struct {
	Queued  uint64 // no worker has them
	Running int    // workers have them
	Waiting int    // workers that wait for one
}

// Depth says how the queue stands. A version that no worker has ever asked for has all zeros.
func (s *Store) Depth(ctx context.Context, tool string) (Depth, error) {
	c, err := s.jobs.Consumer(ctx, "boots-"+version(tool))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return Depth{}, nil
	}
	if err != nil {
		return Depth{}, err
	}
	info, err := c.Info(ctx)
	if err != nil {
		return Depth{}, err
	}
	return Depth{info.NumPending, info.NumAckPending, info.NumWaiting}, nil
}

// A Queue hands out the boots of one version.
type Queue struct {
	consumer jetstream.Consumer
	tool     string
	lease    time.Duration
}

// Queue returns the queue of a version. A lease of 0 is [DefaultLease].
func (s *Store) Queue(ctx context.Context, tool string, lease time.Duration) (*Queue, error) {
	if lease == 0 {
		lease = DefaultLease
	}
	q := &Queue{tool: tool, lease: lease}
	err := s.patiently(ctx, func(ctx context.Context) (err error) {
		q.consumer, err = s.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: "boots-" + version(tool), Description: tool, FilterSubject: "tacit.jobs." + version(tool) + ".*",
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: lease, MaxAckPending: 1 << 14, InactiveThreshold: jobsKept,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the queue of %s: %w", tool, err)
	}
	return q, nil
}

// Lease is how long a delivery is the worker's.
func (q *Queue) Lease() time.Duration { return q.lease }

// Take waits for a job, until ctx is done. A message that is none is removed.
func (q *Queue) Take(ctx context.Context) (catalogue.Delivery, error) {
	for {
		within, cancel := context.WithTimeout(ctx, q.lease)
		m, err := q.consumer.Next(jetstream.FetchContext(within))
		cancel()
		if ctx.Err() != nil {
			if err == nil {
				_ = m.Nak() // else the lease runs out
			}
			return nil, ctx.Err()
		}
		if err != nil { // nothing in this time, or servers that come and go
			if !errors.Is(err, context.DeadlineExceeded) {
				select {
				case <-ctx.Done():
				case <-time.After(500 * time.Millisecond):
				}
			}
			continue
		}
		d := delivery{message: m}
		if json.Unmarshal(m.Data(), &d.job) != nil || m.Subject() != "tacit.jobs."+version(q.tool)+"."+d.job.Key(q.tool) {
			_ = m.Term() // else it comes again, and is no job then either
			continue
		}
		return d, nil
	}
}

type delivery struct {
	message jetstream.Msg
	job     catalogue.Job
}

func (d delivery) Job() catalogue.Job { return d.job }

func (d delivery) Times() int {
	meta, err := d.message.Metadata()
	if err != nil {
		return 1
	}
	return int(meta.NumDelivered)
}

func (d delivery) Extend() error { return d.message.InProgress() }
func (d delivery) Return() error { return d.message.Nak() }

func (d delivery) Done(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return d.message.DoubleAck(ctx)
}
