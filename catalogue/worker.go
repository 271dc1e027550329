package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Queue hands out jobs, each to one worker at a time.
type Queue interface {
	Take(ctx context.Context) (Delivery, error) // waits for one; an error only if ctx is done
	Lease() time.Duration                       // how long a delivery is the worker's, from when it was taken or extended
}

// A Delivery is a job that a worker has. If it is neither done nor extended within its lease, another worker gets it.
type Delivery interface {
	Job() Job
	Times() int                     // how often it was delivered, with this one
	Extend() error                  // the worker is still at it
	Return() error                  // another may have it, now
	Done(ctx context.Context) error // there is a result
}

// Images holds what firmware loads, and disks, by digest.
type Images interface {
	Image(ctx context.Context, digest string) ([]byte, error)
	Disk(ctx context.Context, digest string, to *os.File, room int64) error // writes a disk of at most room bytes
}

// A Worker runs boots of a queue.
type Worker struct {
	Queue         Queue
	Results       Results
	Images        Images
	Tool          string // its version
	Jobs          int    // boots at a time, at least 1
	MaxHostMemory uint64 // of all boots at a time, in bytes; 0 means [vm.DefaultMaxHostMemory]

	// Fetch gets what a job's reference names, and says where it is until it is let go. Nil where nothing is fetched.
	Fetch func(ctx context.Context, reference string) (path string, release func(), err error)

	// Began hears when a boot is taken, and Ended when it is done with, whatever came of it; from several goroutines. Both may be
	// nil.
	Began func()
	Ended func(j Job, outcome string)

	mu    sync.Mutex
	cache map[string]*image.Image // by digest
	size  int                     // bytes in cache
	disks disks
}

// maxDeliveries is how often a boot is tried whose workers vanish. Then it is taken for what ends them.
const maxDeliveries = 8

// maxCache bounds the images that a worker has in memory, in bytes. A larger one is there for its boot alone.
const maxCache = 512 << 20

// Run takes boots until ctx is done. Those that run then are given back. While what came of one is kept, which takes servers
// some writes on their disks, the next one runs.
func (w *Worker) Run(ctx context.Context) {
	var wait sync.WaitGroup
	for range w.Jobs {
		wait.Go(func() {
			var last sync.WaitGroup
			defer last.Wait()
			for {
				d, err := w.Queue.Take(ctx)
				if err != nil {
					return
				}
				finish := w.serve(ctx, d)
				last.Wait()
				last.Go(finish)
			}
		})
	}
	wait.Wait()
	w.disks.close()
}

// serve runs one boot, unless its result is known, and returns what is to be called to keep it. The result is kept before the
// job is done: a worker that dies between the two leaves a job of which the next finds the result.
func (w *Worker) serve(ctx context.Context, d Delivery) (finish func()) {
	stop := w.extend(d)
	if w.Began != nil {
		w.Began()
	}
	j := d.Job()
	key := j.Key(w.Tool)
	lasts, cancel := lasting(ctx)
	_, err := get(lasts, w.Results, key)
	cancel()
	var result *Result
	switch {
	case !errors.Is(err, ErrUnknown):
	case d.Times() > maxDeliveries:
		err = fmt.Errorf("given up: %d workers have taken it, and not come to its end", maxDeliveries)
		result = resultOf(key, w.Tool, j, nil, err)
	default:
		r, err := w.boot(ctx, j)
		if ctx.Err() != nil && (err != nil || r.Outcome == record.Cancelled) {
			_ = d.Return() // else the lease runs out
			stop()
			w.ended(j, "given back")
			return func() {}
		}
		result = resultOf(key, w.Tool, j, r, err)
	}
	return func() {
		defer stop()
		w.finish(ctx, d, result, err)
	}
}

// finish keeps what came of a boot, and says that it is done. Without a result it is known already, or err says why that
// could not be told.
func (w *Worker) finish(ctx context.Context, d Delivery, result *Result, err error) {
	lasts, cancel := lasting(ctx)
	defer cancel()
	outcome := "known already"
	if result != nil {
		outcome = result.outcome()
		err = w.Results.Keep(lasts, result)
	}
	if err == nil {
		err = d.Done(lasts)
	} else {
		_ = d.Return() // else the lease runs out
	}
	if err != nil {
		outcome = "not kept, and given back: " + err.Error()
	}
	w.ended(d.Job(), outcome)
}

func (w *Worker) ended(j Job, outcome string) {
	if w.Ended != nil {
		w.Ended(j, outcome)
	}
}

// outcome is a result in a few words.
func (r *Result) outcome() string {
	if r.Record == nil {
		return "error: " + r.Error
	}
	return string(r.Record.Outcome)
}

// extend extends the lease until the delivery is done with.
func (w *Worker) extend(d Delivery) (stop func()) {
	over := make(chan struct{})
	go func() {
		tick := time.NewTicker(w.Queue.Lease() / 3)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				_ = d.Extend() // where the servers cannot be reached, the next may
			}
		}
	}()
	return func() { close(over) }
}

func (w *Worker) boot(ctx context.Context, j Job) (*record.Record, error) {
	cfg, err := j.Config()
	if err != nil {
		return nil, err
	}
	share := w.MaxHostMemory
	if share == 0 {
		share = vm.DefaultMaxHostMemory()
	}
	cfg.MaxHostMemory = share / uint64(w.Jobs)
	if j.Disk {
		d, release, err := w.disks.take(j.SHA256, func() (*image.Disk, error) { return w.disk(ctx, j) })
		if err != nil {
			return nil, err
		}
		defer release()
		return certify.BootDisk(ctx, j.Image, d, cfg)
	}
	if cfg.Image, err = w.image(ctx, j); err != nil {
		return nil, err
	}
	return vm.Run(ctx, cfg)
}

// image is what the job boots, and is believed to be that only if it has its digest, and calls itself what the job calls it.
// The same bytes under another name are not fetched again.
func (w *Worker) image(ctx context.Context, j Job) (_ *image.Image, err error) {
	w.mu.Lock()
	img := w.cache[j.SHA256]
	w.mu.Unlock()
	if img == nil {
		if img, err = w.open(ctx, j); err != nil {
			return nil, err
		}
		w.keep(j.SHA256, img)
	}
	if img.Name != j.Image {
		if img, err = image.Parse(j.Image, img.Data); err != nil {
			return nil, err
		}
	}
	if img.Name != j.Image {
		return nil, fmt.Errorf("image %.16s: it calls itself %q, and the job %q", j.SHA256, img.Name, j.Image)
	}
	return img, nil
}

func (w *Worker) keep(digest string, img *image.Image) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size+len(img.Data) > maxCache || w.cache == nil {
		w.cache, w.size = map[string]*image.Image{}, 0
	}
	if w.cache[digest] == nil && len(img.Data) <= maxCache {
		w.cache[digest] = img
		w.size += len(img.Data)
	}
}

// open opens what the job boots, wherever it is. It has the digest.
func (w *Worker) open(ctx context.Context, j Job) (*image.Image, error) {
	if j.Reference == "" {
		data, err := w.Images.Image(ctx, j.SHA256)
		if err != nil {
			return nil, err
		}
		if err := j.has(data); err != nil {
			return nil, err
		}
		return image.Parse(j.Image, data)
	}
	path, release, err := w.fetch(ctx, j)
	if err != nil {
		return nil, err
	}
	defer release()
	img, err := image.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return img, j.has(img.Data)
}

// has says why these bytes are not what the job boots.
func (j Job) has(data []byte) error {
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != j.SHA256 {
		return fmt.Errorf("image %.16s: what is there under this name has another digest", j.SHA256)
	}
	return nil
}

func (w *Worker) fetch(ctx context.Context, j Job) (path string, release func(), err error) {
	if w.Fetch == nil {
		return "", nil, fmt.Errorf("image %.16s: it is elsewhere, and this worker fetches nothing", j.SHA256)
	}
	return w.Fetch(ctx, j.Reference)
}
