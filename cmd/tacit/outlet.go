package main

import (
	"context"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/record"
)

// An outlet passes the console and how far the run is on to the screen, which may not take it: a pipe that is not read, a
// terminal that is stopped. It keeps a little, then it waits, and where the run is told to end in the meantime, it waits
// no longer.
type outlet struct {
	to   *screen
	done <-chan struct{} // the run is told to end

	mu      sync.Mutex
	waiting []byte
	latest  *record.Progress // nil where it has been shown
	ready   chan struct{}    // there is something, or an end: holds one token at most
	room    chan struct{}    // the same for those who wait to write
	closed  bool
	ended   chan struct{} // closed after the last write
}

const (
	outletBytes = 64 << 10               // how much an outlet keeps
	lastWords   = 300 * time.Millisecond // how long the rest may take where the run has been told to end
)

func newOutlet(ctx context.Context, to *screen) *outlet {
	o := &outlet{to: to, done: ctx.Done(), ready: make(chan struct{}, 1), room: make(chan struct{}, 1), ended: make(chan struct{})}
	go o.pass()
	return o
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// progress takes where the run is. Only the latest matters.
func (o *outlet) progress(p record.Progress) {
	o.mu.Lock()
	o.latest = &p
	o.mu.Unlock()
	wake(o.ready)
}

// Write implements io.Writer. It never fails: the screen notes its errors.
func (o *outlet) Write(p []byte) (int, error) {
	for {
		o.mu.Lock()
		free := len(o.waiting) < outletBytes
		if free {
			o.waiting = append(o.waiting, p...)
		}
		o.mu.Unlock()
		if free {
			wake(o.ready)
			return len(p), nil
		}
		select {
		case <-o.room:
		case <-o.done:
			return len(p), nil // lost, as the rest of it
		}
	}
}

func (o *outlet) pass() {
	defer close(o.ended)
	for {
		o.mu.Lock()
		b, p, closed := o.waiting, o.latest, o.closed
		o.waiting, o.latest = nil, nil
		o.mu.Unlock()
		wake(o.room)
		_, _ = o.to.Write(b)
		if p != nil {
			o.to.progress(*p)
		}
		switch {
		case len(b) > 0 || p != nil:
		case closed:
			return
		default:
			<-o.ready
		}
	}
}

// Close waits until all is written. Where the run has been told to end, it does so only for a moment, and returns false
// if there is still something: then the screen must be left alone.
func (o *outlet) Close() bool {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	wake(o.ready)
	select {
	case <-o.ended:
		return true
	case <-o.done:
	}
	select {
	case <-o.ended:
		return true
	case <-time.After(lastWords):
		return false
	}
}
