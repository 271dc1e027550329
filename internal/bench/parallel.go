package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"text/tabwriter"
	"time"
)

// A Parallel says how much sooner work is done by all processors than by one: boots, and for comparison a loop of the
// host's own instructions, which shares nothing with the others. What the loop does not reach, no program does on this
// host, whose processors may be halves of one.
type Parallel struct {
	Processors  int
	Boots, Loop []Speedup // round by round
}

// A Speedup is the time that work took by one processor, and by all, in seconds.
type Speedup struct{ One, All float64 }

func (s Speedup) times() float64 { return s.One / s.All }

// MeasureParallel has certify run by one processor and by all, and a native loop beside. Certify runs boots, so many at a
// time.
func MeasureParallel(ctx context.Context, certify func(ctx context.Context, workers int) (Usage, error), rounds int, progress func(name string, round int)) (*Parallel, error) {
	p := &Parallel{Processors: runtime.NumCPU()}
	loop := Loops()[0]
	turns, _ := loop.size()
	turns *= 20 * nativeMore
	loops := func(workers int) (float64, error) {
		began, errs := time.Now(), make([]error, workers)
		var wait sync.WaitGroup
		for i := range workers {
			wait.Go(func() { _, errs[i] = loop.native(ctx, turns) })
		}
		wait.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, fmt.Errorf("%s, natively: %w", loop.Name, err)
			}
		}
		return time.Since(began).Seconds(), nil
	}
	for round := range rounds {
		progress("boots", round)
		one, err := certify(ctx, 1)
		if err != nil {
			return nil, err
		}
		all, err := certify(ctx, p.Processors)
		if err != nil {
			return nil, err
		}
		p.Boots = append(p.Boots, Speedup{one.Wall.Seconds(), all.Wall.Seconds()})
		if !canRunNatively {
			continue
		}
		progress("loops", round)
		alone, err := loops(1)
		if err != nil {
			return nil, err
		}
		together, err := loops(p.Processors)
		if err != nil {
			return nil, err
		}
		p.Loop = append(p.Loop, Speedup{alone * float64(p.Processors), together}) // as much work for each
	}
	return p, nil
}

func spreadOfSpeedups(all []Speedup, of func(i int, s Speedup) float64) Spread {
	var values []float64
	for i, s := range all {
		values = append(values, of(i, s))
	}
	return spreadOf(values)
}

// WriteTable prints how many times as fast all processors are, and how that of boots is to that of loops.
func (p *Parallel) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tone processor\t%d processors\ttimes as fast\tmin – max\n", p.Processors)
	row := func(name string, all []Speedup) {
		if len(all) == 0 {
			fmt.Fprintf(t, "%s\t–\t–\t–\t–\n", name)
			return
		}
		one := spreadOfSpeedups(all, func(_ int, s Speedup) float64 { return s.One })
		many := spreadOfSpeedups(all, func(_ int, s Speedup) float64 { return s.All })
		x := spreadOfSpeedups(all, func(_ int, s Speedup) float64 { return s.times() })
		fmt.Fprintf(t, "%s\t%.2f s\t%.2f s\t%.2f\t%.2f – %.2f\n", name, one.Median, many.Median, x.Median, x.Min, x.Max)
	}
	row("certify, eight boots", p.Boots)
	row("a native loop for each processor", p.Loop)
	if len(p.Loop) > 0 {
		r := spreadOfSpeedups(p.Boots, func(i int, s Speedup) float64 { return s.times() / p.Loop[i].times() })
		fmt.Fprintf(t, "certify : loops\t\t\t%.2f\t%.2f – %.2f\n", r.Median, r.Min, r.Max)
	}
	return t.Flush()
}
