package oracle

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Failure is a case on which silicon and interpreter differ.
type Failure struct {
	Number      uint64 // of the case, for the generator
	Case        *Case
	Differences []string
}

// A Count is how often a form was compared.
type Count struct {
	Form      string
	Cases     int  // that contain the form
	Completed int  // that did not end with a fault in or before it
	Faults    bool // it always faults
}

// An Oracle asks silicon and interpreter, and compares.
type Oracle struct {
	silicon      *Silicon
	interpreters []*Interpreter
	vendor       string         // of the silicon
	settled      map[string]int // cases that differed as the maker's table says, by its entries
}

// New returns an oracle that runs cases in each of these ways. Where blocks are cut is of no account to a case of one
// instruction.
func New(ways ...Way) (o *Oracle, err error) {
	o = &Oracle{vendor: hostVendor(), settled: map[string]int{}}
	if o.silicon, err = NewSilicon(); err != nil {
		return nil, err
	}
	for _, w := range ways {
		in, err := NewInterpreter(w)
		if err != nil {
			o.Close()
			return nil, err
		}
		o.interpreters = append(o.interpreters, in)
	}
	return o, nil
}

// Close ends the child process and gives memory back.
func (o *Oracle) Close() {
	o.silicon.Close()
	for _, in := range o.interpreters {
		in.Close()
	}
}

// Ask runs at most [BatchSize] cases on both and calls each with every case's number in them, silicon's outcome, and
// what differs.
func (o *Oracle) Ask(cases []*Case, each func(i int, silicon *Outcome, differences []string)) error {
	outcomes := make([]Outcome, len(cases))
	if err := o.silicon.Run(cases, outcomes); err != nil {
		return err
	}
	for i, c := range cases {
		var differences, settled []string
		for j, in := range o.interpreters {
			if j > 0 && in.way.BlockLimit > 0 && len(c.ends) == 1 {
				continue
			}
			var got Outcome
			run(in, c, &got)
			differences = c.Compare(&outcomes[i], &got)
			if differences != nil {
				if by := c.settle(o.vendor, &outcomes[i], &got); by != nil {
					settled, differences = by, nil
					continue
				}
				if in.way != (Way{}) {
					differences = append(differences, in.way.String())
				}
				break
			}
		}
		for _, what := range settled {
			o.settled[what]++
		}
		each(i, &outcomes[i], differences)
	}
	return nil
}

// stuck is how long the interpreter may take over a case, which takes it microseconds, before the process ends with a
// word about it: an endless loop inside an instruction cannot be stopped otherwise.
const stuck = time.Minute

// run runs a case in the interpreter. A panic there is an outcome.
func run(in *Interpreter, c *Case, o *Outcome) {
	watch := time.AfterFunc(stuck, func() { panic(fmt.Sprintf("the interpreter does not come back from\n%s", c.Literal())) })
	defer watch.Stop()
	defer func() {
		if r := recover(); r != nil {
			o.Err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	in.Run(c, o)
}

// A Report is what a run over many cases found.
type Report struct {
	Cases    int
	Vectors  map[string]int // how cases ended on silicon
	Counts   []Count        // by form, in the tables' order
	Settled  map[string]int // cases in which the maker's silicon does something otherwise, by entry of its table
	Differ   int            // cases on which the two differ
	Failures []Failure      // the first of them by number, at most maxFailures with the same name
}

// maxFailures bounds the failures that are kept of each form: the first say enough.
const maxFailures = 3

// Run compares cases first to first+n-1 of the generator's, with several workers. What it reports does not depend on
// their number.
func Run(g *Generator, first, n uint64, workers int) (*Report, error) {
	r := &Report{Cases: int(n), Vectors: map[string]int{}, Settled: map[string]int{}}
	counts := map[string]*Count{}
	for _, f := range g.forms {
		counts[f.name] = &Count{Form: f.name, Faults: f.faults}
	}
	var (
		mu    sync.Mutex
		wait  sync.WaitGroup
		next  atomic.Uint64
		fatal error
	)
	work := func() error {
		o, err := New(Ways()...)
		if err != nil {
			return err
		}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			for what, n := range o.settled {
				r.Settled[what] += n
			}
			o.Close()
		}()
		for {
			begin := next.Add(BatchSize) - BatchSize
			if begin >= n {
				return nil
			}
			cases := make([]*Case, 0, BatchSize)
			for i := begin; i < min(begin+BatchSize, n); i++ {
				cases = append(cases, g.Case(first+i))
			}
			mu.Lock()
			bad := fatal != nil
			mu.Unlock()
			if bad {
				return nil
			}
			if err := o.Ask(cases, func(i int, silicon *Outcome, differences []string) {
				mu.Lock()
				defer mu.Unlock()
				r.Vectors[silicon.kind()]++
				cases[i].count(silicon, counts)
				if differences != nil {
					r.add(Failure{first + begin + uint64(i), cases[i], differences})
				}
			}); err != nil {
				return err
			}
		}
	}
	for range workers {
		wait.Go(func() {
			if err := work(); err != nil {
				mu.Lock()
				fatal = err
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	for _, f := range g.forms {
		r.Counts = append(r.Counts, *counts[f.name])
	}
	return r, fatal
}

// add keeps a failure unless there are enough earlier ones with the same name.
func (r *Report) add(f Failure) {
	r.Differ++
	at, _ := slices.BinarySearchFunc(r.Failures, f, func(a, b Failure) int { return cmp.Compare(a.Number, b.Number) })
	r.Failures = slices.Insert(r.Failures, at, f)
	same, last := 0, 0
	for i := range r.Failures {
		if r.Failures[i].Case.Name == f.Case.Name {
			same, last = same+1, i
		}
	}
	if same > maxFailures {
		r.Failures = slices.Delete(r.Failures, last, last+1)
	}
}

// count enters a case into the forms' counts.
func (c *Case) count(silicon *Outcome, counts map[string]*Count) {
	for i, name := range c.names {
		counts[name].Cases++
		if silicon.Err == nil && (!silicon.faulted() || silicon.RIP >= c.In.RIP+uint64(c.ends[i])) {
			counts[name].Completed++
		}
	}
}
