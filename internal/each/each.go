// Package each does pieces of work, several at a time.
package each

import (
	"runtime"
	"sync"
)

// Do does all of the work, n pieces at a time; 0 is one a processor. It returns when all is done.
func Do[T any](n int, work []T, do func(T)) {
	var wait sync.WaitGroup
	next := make(chan T)
	for range min(Workers(n), len(work)) {
		wait.Go(func() {
			for w := range next {
				do(w)
			}
		})
	}
	for _, w := range work {
		next <- w
	}
	close(next)
	wait.Wait()
}

// Workers is how many pieces Do does at a time.
func Workers(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}
