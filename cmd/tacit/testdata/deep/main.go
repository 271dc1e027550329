// Command deep makes a system call that no one serves in a guest, far from its main function: through packages of the
// library, a generic function, a method, a closure, and many calls of its own.
package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
)

type walker struct{ left int }

func main() { begin(os.Args) }

//go:noinline
func begin(words []string) { must(each(words)) }

//go:noinline
func must(err error) {
	if err != nil {
		panic(err)
	}
}

//go:noinline
func each(words []string) error { return last(slices.Clone(words)) }

//go:noinline
func last[T any](list []T) error { return (&walker{len(list)}).walk() }

//go:noinline
func (w *walker) walk() error {
	if w.left--; w.left > 0 {
		return w.walk()
	}
	return w.down()
}

//go:noinline
func (w *walker) down() error { return further(strings.Repeat("/", w.left+1)) }

//go:noinline
func further(path string) error { return a(path) }

//go:noinline
func a(path string) error { return b(path) }

//go:noinline
func b(path string) error { return c(path) }

//go:noinline
func c(path string) error { return d(path) }

//go:noinline
func d(path string) error { return syscall.PivotRoot(path, path) }
