package hunt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/internal/each"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// MaxSeeds is how many orders one hunt tries at most.
const MaxSeeds = 1_000_000

// A Config says what is booted, and in which orders.
type Config struct {
	// Machine has a Schedule with seeds, of which its ScheduleSeed is the first, and no Keyboard, Console or other part
	// that only one run can have. Where its MaxVirtual is 0, a boot may take ten times as long as in the plain order, and a
	// second more. Its MaxHostMemory is of all boots at a time.
	Machine vm.Config
	Seeds   int // 1 to MaxSeeds
	Workers int // boots at a time; 0 means one a processor of the host

	// Progress hears of every boot that has ended, and of how many seeds have, from one goroutine at a time; may be nil.
	Progress func(done int, b *Boot)

	// Watch hears how far a boot is, many times a second, for several boots at the same time; may be nil.
	Watch func(b *Boot, reached record.Phase, p record.Progress)
}

// A Boot is the guest in one order.
type Boot struct {
	Seed    *uint64 // nil is the plain order
	Outcome string  // how it ended, or why nothing is known of that

	end    end
	record *record.Record // of one that ended otherwise
	ctx    context.Context
	cancel context.CancelFunc
}

// Order is what the order is called.
func (b *Boot) Order() string {
	if b.Seed == nil {
		return vm.SchedulePolicies[0]
	}
	return fmt.Sprintf("seed %d", *b.Seed)
}

// Check says what is wrong with c, but for its image.
func (c *Config) Check() error {
	m := c.Machine
	switch {
	case c.Seeds < 1 || c.Seeds > MaxSeeds:
		return fmt.Errorf("%d seeds: want 1 to %d", c.Seeds, MaxSeeds)
	case m.ScheduleSeed > math.MaxUint64-uint64(c.Seeds-1):
		return fmt.Errorf("%d seeds from %d on: there are no seeds above %d", c.Seeds, m.ScheduleSeed, uint64(math.MaxUint64))
	case m.Schedule == "" || m.Schedule == vm.SchedulePolicies[0]:
		return fmt.Errorf("schedule %s has no seeds", vm.SchedulePolicies[0])
	case max(m.CPUs, m.Topology.CPUs()) < 2:
		return errors.New("one processor does everything in one order: want two or more")
	}
	return m.Check()
}

// A hunt is one that goes on.
type hunt struct {
	cfg     Config
	control *record.Record

	lock  sync.Mutex
	boots []*Boot // that have begun, in the order of their seeds
	done  int
	found *Boot // the first of them that ended otherwise, as far as is known; nil where none has
}

// Run boots the guest in the plain order, and then with seed after seed, several at a time, until one ends otherwise: what it
// finds is the lowest such seed, however many boots there are at a time. An error is for a guest that cannot be hunted with;
// where ctx is done, the result says how far the hunt came.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	workers := min(each.Workers(cfg.Workers), cfg.Seeds)
	cfg.Machine.MaxHostMemory = cmp.Or(cfg.Machine.MaxHostMemory, vm.DefaultMaxHostMemory()) / uint64(workers)
	h := &hunt{cfg: cfg}
	r := &Result{Schema: Schema, Schedule: cfg.Machine.Schedule, First: cfg.Machine.ScheduleSeed, Next: cfg.Machine.ScheduleSeed, Seeds: cfg.Seeds, Unjudged: []Unjudged{}}
	plain := h.plain(ctx)
	r.Control = h.control
	switch plain.end {
	case otherwise:
		r.Found = &Finding{Record: h.control}
		return r, nil
	case unknown:
		if ctx.Err() != nil {
			return r, nil
		}
		return nil, fmt.Errorf("in the plain order it comes to no end that says something: %s", plain.Outcome)
	}
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for b := h.next(ctx); b != nil; b = h.next(ctx) {
				h.try(ctx, b)
			}
		})
	}
	wait.Wait()
	r.tell(h)
	return r, nil
}

// plain boots the guest in the plain order, by which the others are judged, and says how long they may take.
func (h *hunt) plain(ctx context.Context) *Boot {
	b := &Boot{}
	cfg := h.cfg.Machine
	cfg.Schedule, cfg.ScheduleSeed = vm.SchedulePolicies[0], 0
	r, err := h.run(ctx, b, cfg)
	h.control = r
	b.judgePlain(r, err, cmp.Or(cfg.MaxVirtual, vm.DefaultMaxVirtual(cmp.Or(cfg.Memory, 4<<30))))
	if r != nil && h.cfg.Machine.MaxVirtual == 0 {
		h.cfg.Machine.MaxVirtual = time.Duration(10*r.VirtualNS.Total) + time.Second
	}
	if b.end != unknown || ctx.Err() == nil {
		h.told(b)
	}
	return b
}

// next begins with the next seed. It returns nil where none is to be tried any more: those below what was found are under way.
func (h *hunt) next(ctx context.Context) *Boot {
	h.lock.Lock()
	defer h.lock.Unlock()
	if len(h.boots) == h.cfg.Seeds || h.found != nil || ctx.Err() != nil {
		return nil
	}
	seed := h.cfg.Machine.ScheduleSeed + uint64(len(h.boots))
	b := &Boot{Seed: &seed}
	b.ctx, b.cancel = context.WithCancel(ctx)
	h.boots = append(h.boots, b)
	return b
}

// try boots the guest with a seed. When it ends otherwise, boots with higher seeds do not matter any more.
func (h *hunt) try(ctx context.Context, b *Boot) {
	defer b.cancel()
	cfg := h.cfg.Machine
	cfg.ScheduleSeed = *b.Seed
	r, err := h.run(b.ctx, b, cfg)

	h.lock.Lock()
	defer h.lock.Unlock()
	if ctx.Err() != nil || h.found != nil && *h.found.Seed < *b.Seed {
		return
	}
	b.judge(h.control, r, err, h.cfg.Machine.MaxVirtual)
	if b.end == otherwise {
		h.found = b
		for _, other := range h.boots {
			if *other.Seed > *b.Seed {
				other.cancel()
			}
		}
	}
	h.done++
	h.told(b)
}

func (h *hunt) told(b *Boot) {
	if h.cfg.Progress != nil {
		h.cfg.Progress(h.done, b)
	}
}

func (h *hunt) run(ctx context.Context, b *Boot, cfg vm.Config) (*record.Record, error) {
	if h.cfg.Watch != nil {
		var last record.LastPhase
		cfg.Events = &last
		cfg.Progress = func(p record.Progress) { h.cfg.Watch(b, record.Phase(last), p) }
	}
	return vm.Run(ctx, cfg)
}
