package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/internal/x86"
)

// A LoopCost is what a loop costs natively and under each engine.
type LoopCost struct {
	Name, Unit                      string
	Native, Translator, Interpreter Result // without runs where it cannot be measured
}

// MeasureLoops runs each loop natively and under each engine, in turn, so many times.
func MeasureLoops(ctx context.Context, loops []*Loop, runs int, progress func(name string, run int)) ([]*LoopCost, error) {
	var all []*LoopCost
	for _, l := range loops {
		w := l.Workload(x86.EngineInterpreter)
		c := &LoopCost{Name: l.Name, Unit: w.Unit}
		for run := range runs {
			progress(l.Name, run)
			if err := c.native(ctx, l); err != nil {
				return nil, err
			}
			engines := map[x86.EngineKind]*Result{x86.EngineInterpreter: &c.Interpreter}
			if x86.TranslatorAvailable() == nil {
				engines[x86.EngineTranslator] = &c.Translator
			}
			for kind, to := range engines {
				r, err := measureOnce(ctx, l.Workload(kind))
				if err != nil {
					return nil, fmt.Errorf("%s: %w", l.Name, err)
				}
				to.Runs = append(to.Runs, r)
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// native adds a native run. A loop that cannot have one has none.
func (c *LoopCost) native(ctx context.Context, l *Loop) error {
	turns, work := l.size()
	turns *= nativeMore
	u, err := l.native(ctx, turns)
	switch {
	case err == nil:
		c.Native.Runs = append(c.Native.Runs, Run{Work: turns * work, CPUNS: int64(u.CPU), WallNS: int64(u.Wall)})
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(err, errNotNative) && canRunNatively:
		return fmt.Errorf("%s, natively: %w", l.Name, err)
	}
	return nil
}

// WriteLoops prints what the loops cost: rates, and how much longer than natively and how much shorter than in the
// interpreter the translator takes.
func WriteLoops(w io.Writer, all []*LoopCost) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "loop\tnative\ttranslator\tinterpreter\t\ttranslator : native\tinterpreter : translator\t")
	rate := func(r *Result) string {
		if len(r.Runs) == 0 {
			return "–"
		}
		return fmt.Sprintf("%.0f", r.Median())
	}
	times := func(slow, fast *Result) string {
		if len(slow.Runs) == 0 || len(fast.Runs) == 0 {
			return "–"
		}
		return fmt.Sprintf("%.1f", fast.Median()/slow.Median())
	}
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", c.Name, rate(&c.Native), rate(&c.Translator), rate(&c.Interpreter), c.Unit,
			times(&c.Translator, &c.Native), times(&c.Interpreter, &c.Translator))
	}
	return t.Flush()
}
