// Command profiled makes a profile of processor time of itself, in the file that is named: one function has used three times
// what another has, on four goroutines.
package main

import (
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

func main() {
	f, err := os.Create(os.Args[1])
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		panic(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				three(3_000_000)
				one(1_000_000)
				time.Sleep(time.Millisecond)
			}
		})
	}
	all.Wait()
	pprof.StopCPUProfile()
	if err := f.Close(); err != nil {
		panic(err)
	}
}

//go:noinline
func three(n int) (x uint64) {
	for range n {
		x = x*6364136223846793005 + 1
	}
	return x
}

//go:noinline
func one(n int) (x uint64) {
	for range n {
		x = x*6364136223846793005 + 1
	}
	return x
}
