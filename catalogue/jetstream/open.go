package jetstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Store keeps results, verdicts, readings and images, and queues boots.
type Store struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	server  *server.Server // nil where it is elsewhere
	lock    *os.File       // of the server's directory
	settles time.Duration  // servers that do not agree on what there is
	silent  atomic.Bool    // the server of this process has left a request without an answer

	results, history, readings jetstream.KeyValue
	images                     jetstream.ObjectStore
	jobs                       jetstream.Stream
}

// starting bounds how long a server or a cluster may take to answer at first.
const starting = time.Minute

// Open starts a server in this process that keeps everything in the directory, and opens no port. Each write is on the
// disk before it is acknowledged. While another process has the directory, Open waits, and calls waiting once before it
// does; that may be nil.
func Open(ctx context.Context, dir string, waiting func()) (_ *Store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &Store{}
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("the store %s: %w", dir, err)
		}
	}()
	if s.lock, err = lock(ctx, dir, waiting); err != nil {
		return nil, err
	}
	s.server, err = server.NewServer(&server.Options{
		ServerName: "tacit", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true,
	})
	if err != nil {
		return nil, err
	}
	s.server.Start()
	if !s.server.ReadyForConnections(starting) {
		return nil, errors.New("its server does not start: is the disk full, or was the store written by a later version?")
	}
	if s.conn, err = nats.Connect("", nats.InProcessServer(s.server)); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx, 1)
}

// Remote says how a server elsewhere is reached.
type Remote struct {
	URL         string // one or several, separated by commas: nats://HOST:PORT, tls://HOST:PORT
	Credentials string // a file of credentials, as nsc writes it; may be empty
	CA          string // a file of certificates that the servers' are signed with; empty means the system's
	Cert, Key   string // files with the client's certificate and its key; may be empty
	Name        string // what the servers call the connection
}

// Connect reaches servers elsewhere. On a cluster, everything is kept by three of them.
func Connect(ctx context.Context, to Remote) (_ *Store, err error) {
	options := []nats.Option{nats.Name(to.Name), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.Timeout(5 * time.Second)}
	if to.Credentials != "" {
		options = append(options, nats.UserCredentials(to.Credentials))
	}
	if to.CA != "" {
		options = append(options, nats.RootCAs(to.CA))
	}
	if to.Cert != "" {
		options = append(options, nats.ClientCert(to.Cert, to.Key))
	}
	s := &Store{}
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("NATS: %w", err)
		}
	}()
	if s.conn, err = nats.Connect(to.URL, options...); err != nil {
		return nil, err
	}
	replicas := 1
	if s.conn.ConnectedClusterName() != "" {
		replicas, s.settles = 3, settling
	}
	return s, s.prepare(ctx, replicas)
}

// prepare makes the buckets and the stream, where they are not there.
func (s *Store) prepare(ctx context.Context, replicas int) (err error) {
	if s.js, err = jetstream.New(s.conn); err != nil {
		return err
	}
	for _, bucket := range []struct {
		name, what string
		to         *jetstream.KeyValue
	}{
		{"tacit-results", "what came of boots", &s.results},
		{"tacit-verdicts", "verdicts of images", &s.history},
		{"tacit-readings", "what was read out of files", &s.readings},
	} {
		err := patiently(ctx, starting, attempt, func(ctx context.Context) (err error) {
			*bucket.to, err = s.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: bucket.name, Description: bucket.what, Storage: jetstream.FileStorage, Replicas: replicas,
			})
			return err
		})
		if err != nil {
			return fmt.Errorf("bucket %s: %w", bucket.name, err)
		}
	}
	err = patiently(ctx, starting, attempt, func(ctx context.Context) (err error) {
		s.images, err = s.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: imagesBucket, Description: "what firmware loads, by digest", Storage: jetstream.FileStorage, Replicas: replicas, TTL: imagesKept,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("bucket %s: %w", imagesBucket, err)
	}
	err = patiently(ctx, starting, attempt, func(ctx context.Context) (err error) {
		s.jobs, err = s.js.CreateOrUpdateStream(ctx, jobsStream(replicas))
		return err
	})
	if err != nil {
		return fmt.Errorf("stream %s: %w", streamName, err)
	}
	return nil
}

// An attempt is waited for so long: what was asked of a server that has died is never answered.
const attempt = 5 * time.Second

var (
	errUnanswered = errors.New("the servers do not answer")
	errSilent     = errors.New("the store takes nothing any more: is its disk full?")
)

// answering bounds how long a cluster that has lost servers is waited for.
const answering = time.Minute

// writing bounds how long a write to this host's disk is waited for.
const writing = 20 * time.Second

// patiently waits for a cluster that is electing leaders. A server in this process has nobody to elect: it ends its work for
// good where its disk fails or is full, and answers nothing from then on. So it is asked once, and not again after that.
func (s *Store) patiently(ctx context.Context, do func(context.Context) error) error {
	if s.server == nil {
		return patiently(ctx, answering, attempt, do)
	}
	if s.silent.Load() {
		return errSilent
	}
	once, cancel := context.WithTimeout(ctx, writing)
	defer cancel()
	err := do(once)
	if err != nil && ctx.Err() == nil && (once.Err() != nil || passing(err)) {
		s.silent.Store(true)
		return errSilent
	}
	return err
}

// patiently does it again while servers are electing leaders, and say so or nothing, for as long as all of it may take.
func patiently(ctx context.Context, all, one time.Duration, do func(context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, all)
	defer cancel()
	for {
		once, cancel := context.WithTimeout(within, one)
		err := do(once)
		late := once.Err() != nil
		cancel()
		if err == nil || !passing(err) && !late {
			return err
		}
		select {
		case <-within.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if late || errors.Is(err, context.DeadlineExceeded) {
				return errUnanswered
			}
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// passing says whether an error is one of servers that come and go.
func passing(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == 503 && api.ErrorCode != storeFailed && api.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabledForAccount
	}
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrDisconnected) ||
		errors.Is(err, jetstream.ErrNoStreamResponse)
}

// Close ends the connection, and the server if it is in this process.
func (s *Store) Close() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
	if s.lock != nil {
		_ = s.lock.Close() // which gives the lock back
	}
}
