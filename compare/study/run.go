package study

import (
	"context"
	"errors"
	"sync"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Study is what came of the boots.
type Study struct {
	Tool     string    // what ran them, with its version; the caller's to say
	Boots    []*Boot   // all of them
	Blocks   []Block   // the same, as they are held against each other
	ByImage  bool      // a block's boots differ in their image, and not in their variant
	Verdicts []Verdict // on each boot that is no base, by each condition
}

// Run runs all boots. An error is for a configuration that cannot be run, and for boots that could not be kept; with the
// latter there is a study, too. Where ctx is done, boots that had not come to their end have no record.
func Run(ctx context.Context, cfg Config) (*Study, error) {
	s, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	workers, share := cfg.workers(len(s.Boots))
	for _, b := range s.Boots {
		b.cfg.MaxHostMemory = share
	}
	var (
		wait sync.WaitGroup
		lock sync.Mutex
		done int
		lost error // the first boot that could not be kept
		next = make(chan *Boot)
	)
	for range workers {
		wait.Go(func() {
			for b := range next {
				err := b.run(ctx, &cfg)
				lock.Lock()
				done++
				if lost == nil {
					lost = err
				}
				if cfg.Progress != nil && ctx.Err() == nil {
					cfg.Progress(done, len(s.Boots), b)
				}
				lock.Unlock()
			}
		})
	}
	for _, b := range s.Boots {
		next <- b
	}
	close(next)
	wait.Wait()
	s.judge(cfg.Conditions)
	return s, lost
}

// run runs the boot, or takes its record from where it was kept. An error says that it could not be kept.
func (b *Boot) run(ctx context.Context, cfg *Config) error {
	if ctx.Err() != nil {
		return nil
	}
	key := keyOf(&b.cfg)
	if r := cfg.Saved.find(key); r != nil {
		b.Record, b.Again = r, true
		return nil
	}
	machine := b.cfg
	if cfg.Watch != nil {
		var last record.LastPhase
		machine.Events = &last
		machine.Progress = func(p record.Progress) { cfg.Watch(b, record.Phase(last), p) }
	}
	r, err := vm.Run(ctx, machine)
	switch {
	case err != nil && errors.Is(err, ctx.Err()):
		return nil
	case err != nil:
		b.Error = err.Error()
		return nil
	case r.Outcome == record.Cancelled:
		return nil
	}
	b.Record = r
	return cfg.Saved.keep(key, r)
}
