package alloc_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/alloc"
)

//	go test ./accept/alloc -run '^$' -bench .

// perUnit is what the platform takes for a unit in these benchmarks: that of a virtual machine with TDX, about.
const perUnit = 50 * time.Microsecond

// newPair returns two allocators of 4 GiB, one that has accepted the half of it that it needs, and one that tracks
// nothing.
func newPair(b *testing.B) (tracked, untracked *alloc.Allocator) {
	driver := accept.DriverFunc(func(accept.Range) error { return nil })
	g := newGuest(b, 0, 2048, alloc.Config{High: 2 * giB})
	for more := true; more; {
		var err error
		if more, err = g.Background(driver); err != nil {
			b.Fatal(err)
		}
	}
	ram := []accept.Range{units(0, 2048)}
	untracked = new(alloc.Allocator)
	books, lock := make([]uint64, alloc.Words(ram)), accepttest.NewMonitor()
	if err := untracked.Init(alloc.Config{RAM: ram, Books: books, Lock: lock}); err != nil {
		b.Fatal(err)
	}
	return &g.Allocator, untracked
}

// BenchmarkTracked compares allocating and freeing from accepted memory, where the rest is unaccepted, with doing so
// where nothing is tracked. The two alternate; tracked/untracked is the ratio of their times.
func BenchmarkTracked(b *testing.B) {
	const rounds = 1000
	for _, c := range []struct {
		name  string
		round func(a *alloc.Allocator, held []uint64)
	}{
		{"page", func(a *alloc.Allocator, held []uint64) {
			for range rounds {
				addr, _ := a.Alloc(0, nil)
				a.Free(addr, 0)
			}
		}},
		{"pages", func(a *alloc.Allocator, held []uint64) { // some thousand in use, freed in another order
			for i := range rounds {
				at := &held[i*2654435761%len(held)]
				a.Free(*at, 0)
				*at, _ = a.Alloc(0, nil)
			}
		}},
		{"orders", func(a *alloc.Allocator, held []uint64) {
			for i := range rounds {
				addr, _ := a.Alloc(i%10, nil)
				a.Free(addr, i%10)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			tracked, untracked := newPair(b)
			var held [2][8192]uint64
			for i := range held[0] {
				held[0][i], _ = tracked.Alloc(0, nil)
				held[1][i], _ = untracked.Alloc(0, nil)
			}
			measure := func(a *alloc.Allocator, held []uint64) time.Duration {
				began := time.Now()
				c.round(a, held)
				return time.Since(began)
			}
			var with, without []time.Duration
			for b.Loop() {
				with = append(with, measure(tracked, held[0][:]))
				without = append(without, measure(untracked, held[1][:]))
			}
			a, n := median(with), median(without)
			b.ReportMetric(float64(a)/float64(n), "tracked/untracked")
			b.ReportMetric(float64(a)/rounds, "tracked-ns")
			b.ReportMetric(0, "ns/op") // of no meaning
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkParallel shows how acceptance scales: how many times as fast eight goroutines, which allocate all of the
// memory in runs of units, get it accepted as one would. One would take as long as all calls of the driver together;
// it is not measured, since a sleep of 50 µs takes ten times as long where nothing else happens, and the ratio would be
// better than eight.
func BenchmarkParallel(b *testing.B) {
	const all, goroutines = 1024, 8
	for _, n := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(n, "-units"), func(b *testing.B) {
			var together atomic.Int64
			var elapsed time.Duration
			for b.Loop() {
				g := newGuest(b, 0, all, alloc.Config{})
				slow := accept.DriverFunc(func(r accept.Range) error {
					began := time.Now()
					defer func() { together.Add(int64(time.Since(began))) }()
					time.Sleep(perUnit)
					return g.memory.Accept(r)
				})
				began := time.Now()
				var wg sync.WaitGroup
				for range goroutines {
					wg.Go(func() {
						for range all / goroutines / n {
							if _, err := g.AllocUnits(n, slow); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				elapsed += time.Since(began)
			}
			b.ReportMetric(float64(together.Load())/float64(elapsed), "one/eight")
			b.ReportMetric(float64(together.Load())/float64(b.N)/all, "ns/unit")
		})
	}
}

// BenchmarkWait shows how long allocations take, with a reserve and without: bursts of 1000 pages with a pause of a
// millisecond between, as a program touches its memory. With -v it prints how many took how long.
func BenchmarkWait(b *testing.B) {
	for _, reserve := range []bool{false, true} {
		name := map[bool]string{false: "no-reserve", true: "reserve"}[reserve]
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			var waiters, background uint64
			for b.Loop() {
				g := newGuest(b, 0, 256, alloc.Config{})
				g.memory.Delay = perUnit
				stop := func() {}
				if reserve {
					stop = keepReserve(b, g)
				}
				for range 100 {
					for range 1000 {
						began := time.Now()
						if _, err := g.Alloc(0, g.memory); err != nil {
							b.Fatal(err)
						}
						took = append(took, time.Since(began))
					}
					time.Sleep(time.Millisecond)
				}
				stop()
				info := g.Meminfo()
				waiters, background = waiters+info.ByWaiters, background+info.ByBackground
			}
			report(b, took)
			b.ReportMetric(float64(waiters)/float64(b.N), "units-by-waiters")
			b.ReportMetric(float64(background)/float64(b.N), "units-by-background")
		})
	}
}

// keepReserve fills g's reserve, and keeps it filled until the function that it returns is called.
func keepReserve(b *testing.B, g *guest) (stop func()) {
	var stopped atomic.Bool
	done := make(chan bool)
	fill := func() {
		for more := true; more; {
			var err error
			if more, err = g.Background(g.memory); err != nil {
				b.Error(err)
			}
		}
	}
	fill()
	go func() {
		for !stopped.Load() {
			g.Await()
			fill()
		}
		close(done)
	}()
	return func() {
		g.tracker.Lock.Lock()
		stopped.Store(true)
		g.tracker.Lock.Broadcast()
		g.tracker.Lock.Unlock()
		<-done
	}
}

// report reports percentiles of d, and prints how many lie below each power of two of a microsecond.
func report(b *testing.B, d []time.Duration) {
	slices.Sort(d)
	at := func(part float64) float64 { return float64(d[int(part*float64(len(d)-1))].Nanoseconds()) }
	b.ReportMetric(at(0.5), "p50-ns")
	b.ReportMetric(at(0.99), "p99-ns")
	b.ReportMetric(at(0.999), "p99.9-ns")
	b.ReportMetric(at(1), "max-ns")
	below := 0
	for limit := time.Microsecond; below < len(d); limit *= 2 {
		n, _ := slices.BinarySearch(d, limit)
		if n > below {
			b.Logf("< %8v %9d  %.3f %%", limit, n-below, 100*float64(n-below)/float64(len(d)))
		}
		below = n
	}
}
