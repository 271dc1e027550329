package certify

import (
	"cmp"
	"context"
	"runtime"
	"sync"

	"github.com/tacit-vm/tacit/vm"
)

// A Certificate is what the boots showed.
type Certificate struct {
	Schema   string    `json:"schema"`
	Verdicts []Verdict `json:"verdicts"` // one an image, in the order of Config.Subjects
	Boots    []*Boot   `json:"boots"`
}

// Schema names the version of the JSON form.
const Schema = "tacit.certificate/1"

// Run boots everything and draws the conclusions. An error is for a configuration that cannot be run; where ctx is
// done, the certificate says which boots did not come to their end.
func Run(ctx context.Context, cfg Config) (*Certificate, error) {
	boots, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	workers := cfg.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(boots))
	// Each of those that run at a time may take its share of the host's memory.
	share := cmp.Or(cfg.MaxHostMemory, vm.DefaultMaxHostMemory()) / uint64(workers)
	for _, b := range boots {
		b.cfg.MaxHostMemory = share
	}
	var (
		wait sync.WaitGroup
		lock sync.Mutex
		done int
		next = make(chan *Boot)
	)
	for range workers {
		wait.Go(func() {
			for b := range next {
				b.run(ctx)
				lock.Lock()
				done++
				if cfg.Progress != nil {
					cfg.Progress(done, len(boots), b)
				}
				lock.Unlock()
			}
		})
	}
	for _, b := range boots {
		next <- b
	}
	close(next)
	wait.Wait()
	c := &Certificate{Schema: Schema, Boots: boots}
	for i, s := range cfg.Subjects {
		c.Verdicts = append(c.Verdicts, judge(s, i, boots))
	}
	return c, nil
}

func (b *Boot) run(ctx context.Context) {
	r, err := vm.Run(ctx, b.cfg)
	if err != nil {
		b.Error = err.Error()
		return
	}
	b.Record = r
}

// OK says whether nothing is wrong: every boot proves something, and no claim is contradicted.
func (c *Certificate) OK() bool {
	for _, v := range c.Verdicts {
		if len(v.Disagreements) > 0 || !v.Complete {
			return false
		}
	}
	return true
}
