package certify

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/tacit-vm/tacit/internal/each"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Certificate is what the boots showed.
type Certificate struct {
	Schema   string    `json:"schema"`
	Tool     string    `json:"tool"`     // what made it, with its version; the caller's to say
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
	workers := min(each.Workers(cfg.Workers), len(boots))
	// Each of those that run at a time may take its share of the host's memory.
	share := cmp.Or(cfg.MaxHostMemory, vm.DefaultMaxHostMemory()) / uint64(max(workers, 1)) // no boots, no workers
	for _, b := range boots {
		b.cfg.MaxHostMemory = share
	}
	var runner Runner = Here{}
	if cfg.Runner != nil {
		runner = cfg.Runner
	}
	var (
		lock sync.Mutex
		done int
	)
	each.Do(workers, boots, func(b *Boot) {
		s := &cfg.Subjects[b.subject]
		b.run(ctx, runner, s, cfg.Watch)
		s.Disk.Booted()
		lock.Lock()
		defer lock.Unlock()
		done++
		if cfg.Progress != nil {
			cfg.Progress(done, len(boots), b)
		}
	})
	c := &Certificate{Schema: Schema, Boots: boots}
	for i, s := range cfg.Subjects {
		v := judge(s, i, boots)
		v.require(cfg.Require, of(i, boots))
		v.conclude()
		c.Verdicts = append(c.Verdicts, v)
	}
	return c, nil
}

// of returns the boots of subject i.
func of(i int, boots []*Boot) []*Boot {
	return slices.DeleteFunc(slices.Clone(boots), func(b *Boot) bool { return b.subject != i })
}

func (b *Boot) run(ctx context.Context, runner Runner, s *Subject, watch func(*Boot, record.Phase, record.Progress)) {
	cfg := b.cfg
	if watch != nil {
		var last record.LastPhase
		cfg.Events = &last
		cfg.Progress = func(p record.Progress) { watch(b, record.Phase(last), p) }
	}
	r, err := runner.Run(ctx, s, cfg)
	if err != nil {
		b.Error = err.Error()
		return
	}
	b.Record = r
}

// OK says whether nothing is wrong: every image passes.
func (c *Certificate) OK() bool {
	return c.Count(Passed) == len(c.Verdicts)
}

// Count is how many images have the result.
func (c *Certificate) Count(r Result) (n int) {
	for _, v := range c.Verdicts {
		if v.Result == r {
			n++
		}
	}
	return n
}
