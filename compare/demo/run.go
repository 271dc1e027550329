package demo

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Guest is what is to be run, and what ought to come of it.
type Guest struct {
	Name   string // of few letters: the head of a column
	Story  string // how it differs from the others, as a clause: "accepts memory when it needs it"
	Config vm.Config
	Expect func(*Result) error // says what came out otherwise; nil expects nothing
}

// A Result is what came of a guest.
type Result struct {
	Guest
	Record  *record.Record
	Console string // what it wrote, as far as maxConsole
}

// Options are how guests are run. None of them changes what comes of them.
type Options struct {
	Workers int                      // guests at a time; 0 means one
	Ended   func(i int, ran *Result) // hears of each guest that has ended, in the order of the guests; may be nil
}

// maxConsole bounds what is kept of a console, of which a guest can write any amount.
const maxConsole = 64 << 10

// Run runs the guests, and returns what came of them in their order. An error is for what could not be run, and for a
// ctx that is done.
func Run(ctx context.Context, guests []Guest, o Options) ([]*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait() // also after an early return no guest goes on
	defer cancel()

	type end struct {
		ran *Result
		err error
	}
	ends := make([]chan end, len(guests))
	next := make(chan int, len(guests))
	for i := range guests {
		ends[i] = make(chan end, 1)
		next <- i
	}
	close(next)
	for range max(o.Workers, 1) {
		workers.Go(func() {
			for i := range next {
				ran, err := run(ctx, guests[i])
				ends[i] <- end{ran, err}
			}
		})
	}
	var results []*Result
	for i := range guests {
		e := <-ends[i]
		if e.err != nil {
			return nil, e.err
		}
		results = append(results, e.ran)
		if o.Ended != nil {
			o.Ended(i, e.ran)
		}
	}
	return results, nil
}

// run runs one guest. One that was cancelled has nothing to be compared.
func run(ctx context.Context, g Guest) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	console := &console{to: g.Config.Console}
	g.Config.Console = console
	r, err := vm.Run(ctx, g.Config)
	switch {
	case err != nil:
		return nil, fmt.Errorf("guest %s: %w", g.Name, err)
	case r.Outcome == record.Cancelled:
		return nil, ctx.Err()
	}
	return &Result{Guest: g, Record: r, Console: string(console.kept)}, nil
}

// A console keeps the beginning of what a guest writes, and passes all of it on.
type console struct {
	to   io.Writer // may be nil
	kept []byte
}

func (c *console) Write(p []byte) (int, error) {
	c.kept = append(c.kept, p[:min(len(p), maxConsole-len(c.kept))]...)
	if c.to == nil {
		return len(p), nil
	}
	return c.to.Write(p)
}
