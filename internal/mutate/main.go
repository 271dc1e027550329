// Mutate asks how much the tests notice: it changes the code in one place, runs the tests of that package, and says
// whether they failed. A change that they let pass is a missing test, or code that does not matter.
//
//	go run ./internal/mutate -n 320 -seed 1 -o docs/soak/mutants.jsonl ./internal/x86 ./internal/tdx
//
// Which places are changed depends on the seed, the packages and the code only; each package has the same share. The
// working tree is not touched: the changed file is an overlay of the build. Every result is a line of JSON as soon as it
// is there, so that a run that was ended goes on where it was, as long as the code is the same.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"
)

func main() {
	var (
		n       = flag.Int("n", 320, "number of changes in all")
		seed    = flag.Uint64("seed", 1, "which changes are made")
		out     = flag.String("o", "", "file that results are added to, and read from at the start")
		jobs    = flag.Int("jobs", runtime.NumCPU(), "changes that are tried at a time")
		limit   = flag.Duration("for", 3*time.Hour, "when to end in any case")
		list    = flag.Bool("list", false, "list the changes without trying them")
		summary = flag.Bool("summary", false, "print what the file says, and try nothing")
	)
	flag.Parse()
	if err := run(*n, *seed, *out, *jobs, *limit, *list, *summary, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(n int, seed uint64, out string, jobs int, limit time.Duration, list, summary bool, packages []string) error {
	f, err := openResults(out)
	if err != nil {
		return err
	}
	defer f.Close()
	if summary {
		f.summarize(os.Stdout)
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	chosen, err := choose(ctx, packages, n, seed)
	if err != nil {
		return err
	}
	if list {
		for _, m := range chosen {
			fmt.Println(m)
		}
		return nil
	}
	patience, err := baseline(ctx, packages)
	if err != nil {
		return err
	}
	if err := f.begin(seed); err != nil {
		return err
	}
	work := make(chan *mutant)
	var wait sync.WaitGroup
	for range jobs {
		wait.Go(func() {
			for m := range work {
				r := try(ctx, m, patience[m.Package])
				if ctx.Err() == nil { // else it was ended, and says nothing
					f.add(r)
				}
			}
		})
	}
	for _, m := range chosen {
		if !f.has(m) && ctx.Err() == nil {
			work <- m
		}
	}
	close(work)
	wait.Wait()
	f.summarize(os.Stdout)
	return f.err
}

// A result is a line of the file.
type result struct {
	mutant
	Result  string  `json:"result"`
	By      string  `json:"by,omitempty"` // the first test that failed, or another package whose tests do
	Seconds float64 `json:"seconds"`
}

// Results of a change.
const (
	killed   = "killed"
	timedOut = "timeout" // the tests did not come to an end, which is as good
	survived = "survived"
	unbuilt  = "does not compile"
)

// results are what has been found, in memory and in the file.
type results struct {
	mu   sync.Mutex
	file *os.File
	head header
	all  []result
	done map[mutant]bool
	err  error
}

// A header is the first line of the file: what the results are of.
type header struct {
	Seed      uint64 `json:"seed"`
	Code      string `json:"code"` // checksum of the sources of the packages, and of their tests
	Commit    string `json:"commit"`
	Date      string `json:"date"`
	Processor string `json:"processor"`
}

func openResults(name string) (*results, error) {
	r := &results{done: map[mutant]bool{}}
	if name == "" {
		return r, nil
	}
	var err error
	if r.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	d := json.NewDecoder(r.file)
	if err := d.Decode(&r.head); err != nil {
		return r, nil // a new one
	}
	whole := d.InputOffset()
	for {
		var x result
		if err := d.Decode(&x); err != nil {
			break // the end, or a line that was cut off
		}
		whole = d.InputOffset()
		r.all, r.done[x.mutant] = append(r.all, x), true
	}
	if err := r.file.Truncate(whole); err != nil {
		return nil, err
	}
	if _, err := r.file.Seek(whole, io.SeekStart); err != nil {
		return nil, err
	}
	_, err = r.file.WriteString("\n")
	return r, err
}

// begin makes the file one of this code, anew where it is of other code.
func (r *results) begin(seed uint64) error {
	h, err := describe(seed)
	if err != nil {
		return err
	}
	if r.head.Code == h.Code && r.head.Seed == seed {
		return nil
	}
	r.head, r.all, r.done = h, nil, map[mutant]bool{}
	if r.file == nil {
		return nil
	}
	if err := r.file.Truncate(0); err != nil {
		return err
	}
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return json.NewEncoder(r.file).Encode(h)
}

func (r *results) has(m *mutant) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[*m]
}

func (r *results) add(x result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.done[x.mutant] = append(r.all, x), true
	fmt.Fprintf(os.Stderr, "%4d %-16s %5.1f s  %v\n", len(r.all), x.Result, x.Seconds, &x.mutant)
	if r.file != nil && r.err == nil {
		r.err = json.NewEncoder(r.file).Encode(x)
	}
}

// Close closes the file.
func (r *results) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
