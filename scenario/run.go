package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Verdict is what came of a scenario.
type Verdict string

// Verdicts.
const (
	Reproduced    Verdict = "reproduced"     // what users met was seen
	NotReproduced Verdict = "not reproduced" // the machines ran, and it was not seen
	CannotBeHad   Verdict = "cannot be had"  // there is no machine here that could show it
	NotRun        Verdict = "not run"        // something is missing, or went wrong
)

// A Config says how scenarios are run.
type Config struct {
	Packages      string        // the directory of the packages
	MaxWall       time.Duration // of each boot; 0 means no limit
	MaxHostMemory uint64        // of each boot, in bytes; 0 means vm's own

	Progress func(s *Scenario, label string) // hears of each boot that begins; may be nil
}

// A Result is what came of a scenario.
type Result struct {
	Scenario Scenario `json:"scenario"`
	Verdict  Verdict  `json:"verdict"`
	AsKnown  bool     `json:"as_known"` // it is the verdict that the scenario is known to come to
	Seen     string   `json:"seen"`     // in a clause; why there is nothing, where there is nothing
	Boots    []Boot   `json:"boots"`
}

// Run boots what the scenario needs and judges it. An error is for a context that is done.
func (s *Scenario) Run(ctx context.Context, cfg Config) (*Result, error) {
	r := &Result{Scenario: *s, Verdict: CannotBeHad, Seen: s.Why, Boots: []Boot{}}
	if s.Why == "" {
		r.Verdict, r.Seen = s.run(ctx, cfg, r)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	r.AsKnown = r.Verdict == s.Wants()
	return r, nil
}

func (s *Scenario) run(ctx context.Context, cfg Config, r *Result) (Verdict, string) {
	shelf := &shelf{ctx: ctx, directory: cfg.Packages}
	for _, name := range s.Needs { // before anything takes time
		if _, err := shelf.path(name); err != nil {
			return NotRun, err.Error()
		}
	}
	for _, b := range s.boots {
		if cfg.Progress != nil {
			cfg.Progress(s, b.label)
		}
		done, err := b.run(ctx, shelf, cfg)
		if err != nil {
			return NotRun, b.label + ": " + err.Error()
		}
		if r.Boots = append(r.Boots, done); done.Record.Outcome == record.Cancelled || done.Record.Outcome == record.Limit {
			return NotRun, b.label + ": " + ended(done)
		}
	}
	if s.idle != nil {
		if why := s.idle(r.Boots); why != "" {
			return NotRun, why
		}
	}
	seen, shown := s.judge(r.Boots)
	if !shown {
		return NotReproduced, seen
	}
	return Reproduced, seen
}

// run boots one machine.
func (b boot) run(ctx context.Context, s *shelf, cfg Config) (Boot, error) {
	c, err := b.make(s)
	if err != nil {
		return Boot{}, err
	}
	var tail tail
	c.Console, c.MaxWall, c.MaxHostMemory = &tail, cfg.MaxWall, cfg.MaxHostMemory
	r, err := vm.Run(ctx, c)
	if err == nil && r == nil {
		err = errors.New("no record")
	}
	if err != nil {
		return Boot{}, err
	}
	return Boot{Label: b.label, Console: string(tail), Record: r}, nil
}

// maxConsole is how much of a console is kept, in bytes: its end.
const maxConsole = 256 << 10

// A tail keeps the end of what is written.
type tail []byte

func (t *tail) Write(b []byte) (int, error) {
	*t = append(*t, b...)
	if over := len(*t) - 2*maxConsole; over > 0 {
		*t = append((*t)[:0], (*t)[len(*t)-maxConsole:]...)
	}
	return len(b), nil
}
