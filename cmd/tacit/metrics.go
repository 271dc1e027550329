package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/catalogue/jetstream"
	"github.com/tacit-vm/tacit/internal/metrics"
)

// A tally is what a worker has done so far, for metrics.
type tally struct {
	mu      sync.Mutex
	ended   map[string]uint64 // boots that it is done with, by outcome
	running int
}

func (t *tally) began() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running++
}

// over counts a boot that it is done with. What kind of error one ended with is not counted: there may be any number.
func (t *tally) over(outcome string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended == nil {
		t.ended = map[string]uint64{}
	}
	t.running--
	t.ended[outcome]++
}

// page is all that a worker tells. A queue that does not answer is told as down, and its numbers are left out.
func (t *tally) page(tool string, jobs int, share uint64, depth jetstream.Depth, err error) *metrics.Page {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &metrics.Page{}
	p.Gauge("worker_info", "The version of tacit whose boots the worker takes; always 1.")
	p.Value("worker_info", 1, "version", tool)
	p.Gauge("worker_jobs", "Boots that the worker runs at a time.")
	p.Value("worker_jobs", uint64(jobs))
	p.Gauge("worker_max_host_memory_bytes", "Memory of the host that all of them may take.")
	p.Value("worker_max_host_memory_bytes", share)
	p.Gauge("worker_boots_running", "Boots that it runs.")
	p.Value("worker_boots_running", uint64(max(t.running, 0)))
	p.Counter("worker_boots_total", "Boots that it is done with, by outcome.")
	for _, outcome := range slices.Sorted(maps.Keys(t.ended)) {
		p.Value("worker_boots_total", t.ended[outcome], "outcome", outcome)
	}
	p.Gauge("queue_up", "1 if the servers answer.")
	if err != nil {
		p.Value("queue_up", 0)
		return p
	}
	p.Value("queue_up", 1)
	p.Gauge("queue_boots", "Boots of the version that no worker has (queued), or some worker (taken).")
	p.Value("queue_boots", depth.Queued, "state", "queued")
	p.Value("queue_boots", uint64(depth.Running), "state", "taken")
	p.Gauge("queue_workers_waiting", "Requests of workers that wait for a boot.")
	p.Value("queue_workers_waiting", uint64(depth.Waiting))
	return p
}

// serveMetrics serves a page under /metrics until ctx is done. It returns when it listens.
func serveMetrics(ctx context.Context, address string, page func(context.Context) *metrics.Page) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", metrics.ContentType)
		_, _ = page(r.Context()).WriteTo(w) // whoever asked is gone
	})
	s := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	context.AfterFunc(ctx, func() { s.Close() })
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			l.Close()
		}
	}()
	return l.Addr(), nil
}
