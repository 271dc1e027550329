package main

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// channels has sixteen goroutines work on a queue, with a mutex, a condition and a select, and then thousands that only wait.
func channels() error {
	const workers, jobs = 16, 4000
	in, out := make(chan int), make(chan [2]int, 8)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for n := range in {
				v := n
				for range 200 {
					v = v*1103515245 + 12345
				}
				out <- [2]int{n, v & 0xFFFF}
			}
		})
	}
	go func() {
		for i := range jobs {
			in <- i
		}
		close(in)
		all.Wait()
		close(out)
	}()
	sum, count := 0, 0
	for done := false; !done; {
		select {
		case r, ok := <-out:
			if done = !ok; ok {
				sum += r[0] ^ r[1]
				count++
			}
		case <-time.After(time.Minute):
			return errors.New("nothing comes")
		}
	}
	fmt.Println(count, sum)

	before := runtime.NumGoroutine()
	var mu sync.Mutex
	begin := sync.NewCond(&mu)
	waiting, released := 0, false
	var ended atomic.Int64
	for range 5000 {
		all.Go(func() {
			mu.Lock()
			for waiting++; !released; {
				begin.Wait()
			}
			mu.Unlock()
			ended.Add(1)
		})
	}
	for ready := false; !ready; runtime.Gosched() {
		mu.Lock()
		ready = waiting == 5000
		mu.Unlock()
	}
	more := runtime.NumGoroutine() - before
	mu.Lock()
	released = true
	begin.Broadcast()
	mu.Unlock()
	all.Wait()
	fmt.Println(more, ended.Load())
	return nil
}

var spun atomic.Uint64

// preempted gets on although there are more goroutines that never let go than there are processors.
func preempted() error {
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 2 * runtime.NumCPU() {
		all.Go(func() {
			n := uint64(1)
			for !stop.Load() { // which is no call
				n = n*6364136223846793005 + 1
			}
			spun.Add(n | 1)
		})
	}
	ticks := 0
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for range 5 {
		<-t.C
		ticks++
	}
	stop.Store(true)
	all.Wait()
	fmt.Println(ticks, spun.Load() != 0)
	return nil
}

var nowhere *int

// recovered goes on after what the runtime panics of, in this goroutine and in others.
func recovered() error {
	zero, far, list := 0, 5, []int{1, 2, 3}
	var nothing any = "text"
	var none map[string]int
	faults := []func(){
		func() { fmt.Println(*nowhere) },
		func() { fmt.Println(1 / zero) },
		func() { fmt.Println(list[far]) },
		func() { fmt.Println(list[far-1 : zero]) },
		func() { fmt.Println(nothing.(int)) },
		func() { none["a"] = 1 },
		func() { close(make(chan int)); close((chan int)(nil)) },
		func() { panic(errors.New("one of its own")) },
	}
	for _, f := range faults {
		said := make(chan string)
		go func() {
			defer func() { said <- fmt.Sprint(recover()) }()
			f()
		}()
		fmt.Println(<-said)
	}
	const times = 1000
	n := 0
	for range times {
		func() {
			defer func() {
				if _, ok := recover().(runtime.Error); ok {
					n++
				}
			}()
			*nowhere = n
		}()
	}
	fmt.Println(n, strings.Contains(string(debug.Stack()), "main.recovered"))
	return nil
}

// heap holds 300 MiB, gives them back, and takes them again, under a limit.
func heap() error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(700 << 20))
	for round := range 2 {
		var kept [][]byte
		sum := 0
		for i := range 300 {
			b := make([]byte, 1<<20)
			for j := 0; j < len(b); j += 1 << 10 {
				if b[j] != 0 {
					return errors.New("new memory is not zero")
				}
				b[j] = byte(i + round)
			}
			kept = append(kept, b)
		}
		for i, b := range kept {
			sum += int(b[i<<10])
		}
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		fmt.Println(len(kept), sum, s.HeapAlloc >= 300<<20, s.NumGC > 0)
		clear(kept)
		debug.FreeOSMemory()
		runtime.ReadMemStats(&s)
		fmt.Println(s.HeapAlloc < 100<<20, s.HeapReleased > 100<<20)
	}
	return nil
}

// pooled uses a pool, and cleanups, while the collector runs all the time.
func pooled() error {
	pool := sync.Pool{New: func() any { return new([4096]byte) }}
	var all sync.WaitGroup
	var wrong, cleaned atomic.Int64
	for w := range 8 {
		all.Go(func() {
			for i := range 500 {
				b := pool.Get().(*[4096]byte)
				for j := range b {
					b[j] = byte(w)
				}
				if i%100 == 0 {
					runtime.GC()
				}
				if b[i] != byte(w) {
					wrong.Add(1)
				}
				pool.Put(b)
			}
			v := new([64]int)
			runtime.AddCleanup(v, func(n int64) { cleaned.Add(n) }, 1)
		})
	}
	all.Wait()
	for range 100 {
		if runtime.GC(); cleaned.Load() == 8 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println(wrong.Load(), cleaned.Load())
	return nil
}

// ticking waits in all the ways that there are, and for signals that do not come.
func ticking() error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals)
	defer signal.Stop(signals)
	interrupted, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	ctx, cancel := context.WithTimeoutCause(interrupted, 5*time.Millisecond, errors.New("too late"))
	defer cancel()
	select {
	case <-ctx.Done():
	case s := <-signals:
		return fmt.Errorf("signal %v", s)
	}
	fmt.Println(ctx.Err(), context.Cause(ctx), interrupted.Err(), time.Since(start) >= 5*time.Millisecond)
	var fired atomic.Bool
	t := time.AfterFunc(time.Hour, func() { fired.Store(true) })
	fmt.Println(t.Stop(), t.Stop(), fired.Load())
	waited := make(chan bool, 3) // not in which order: a host may be late
	for _, n := range []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond} {
		time.AfterFunc(n, func() { waited <- time.Since(start) >= n })
	}
	fmt.Println(<-waited, <-waited, <-waited)
	year := time.Now().Year()
	fmt.Println(year >= 2024 && year < 2100, time.Now().Location() == time.Local)
	return nil
}

// measured reads what the runtime says of itself.
func measured() error {
	all := metrics.All()
	samples := make([]metrics.Sample, len(all))
	for i, d := range all {
		samples[i].Name = d.Name
	}
	metrics.Read(samples)
	bad := 0
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindBad {
			bad++
		}
	}
	n := expvar.NewInt("everyday")
	n.Add(3)
	kinds := 0
	expvar.Do(func(expvar.KeyValue) { kinds++ })
	info, ok := debug.ReadBuildInfo()
	fmt.Println(len(all), bad, n, kinds, expvar.Get("memstats") != nil, ok, info.GoVersion == runtime.Version())
	fmt.Println(runtime.GOOS, runtime.GOARCH, runtime.NumCPU() > 0, runtime.GOMAXPROCS(0) == runtime.NumCPU(), os.Getpid() > 0)
	return nil
}
