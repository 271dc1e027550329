package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// A Run is what one run of a workload took.
type Run struct {
	Work   uint64 `json:"work"`    // instructions, or bytes where the unit is MB/s
	CPUNS  int64  `json:"cpu_ns"`  // processor time of the process
	WallNS int64  `json:"wall_ns"` // time that passed
}

// rate is work by processor time, in millions a second.
func (r Run) rate() float64 { return float64(r.Work) * 1e3 / float64(max(r.CPUNS, 1)) }

// A Result is what the runs of a workload say.
type Result struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	Runs []Run  `json:"runs"`
}

// Median, Min and Max are rates, in the result's unit.
func (r *Result) Median() float64 { return r.quantile(0.5) }
func (r *Result) Min() float64    { return r.quantile(0) }
func (r *Result) Max() float64    { return r.quantile(1) }

func (r *Result) quantile(q float64) float64 {
	if len(r.Runs) == 0 {
		return 0
	}
	rates := make([]float64, len(r.Runs))
	for i, run := range r.Runs {
		rates[i] = run.rate()
	}
	slices.Sort(rates)
	at := q * float64(len(rates)-1)
	low := int(at)
	high := min(low+1, len(rates)-1)
	return rates[low] + (rates[high]-rates[low])*(at-float64(low))
}

// Wall returns the median of the time that a run took.
func (r *Result) Wall() time.Duration {
	if len(r.Runs) == 0 {
		return 0
	}
	walls := make([]int64, len(r.Runs))
	for i, run := range r.Runs {
		walls[i] = run.WallNS
	}
	slices.Sort(walls)
	return time.Duration(walls[len(walls)/2])
}

// Measure runs w so many times. It calls progress, where that is not nil, with the number of the run that begins, from
// 0. Runs have to do the same work: one that does not is an error.
func Measure(ctx context.Context, w Workload, runs int, progress func(run int)) (*Result, error) {
	r := &Result{Name: w.Name, Unit: w.Unit}
	if w.Close != nil {
		defer w.Close()
	}
	if w.Prepare != nil {
		if err := w.Prepare(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(i)
		}
		run, err := measureOnce(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
		r.Runs = append(r.Runs, run)
		if run.Work != r.Runs[0].Work {
			return nil, fmt.Errorf("%s: a run did %d where the first did %d: it is not the same work", w.Name, run.Work, r.Runs[0].Work)
		}
	}
	return r, nil
}

func measureOnce(ctx context.Context, w Workload) (Run, error) {
	runtime.GC() // what the last run left behind is not this one's work
	start := time.Now()
	before, err := cpuTime()
	if err != nil {
		return Run{}, err
	}
	work, err := w.Run(ctx)
	if err != nil {
		return Run{}, err
	}
	after, err := cpuTime()
	return Run{Work: work, CPUNS: int64(after - before), WallNS: int64(time.Since(start))}, err
}
