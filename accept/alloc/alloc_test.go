package alloc_test

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
	"github.com/tacit-vm/tacit/accept/alloc"
)

const (
	kiB = 1 << 10
	miB = 1 << 20
	giB = 1 << 30
	tiB = 1 << 40
)

var (
	seed       = flag.Uint64("seed", uint64(time.Now().UnixNano()), "first seed of the random tests")
	operations = flag.Int("operations", 10_000_000, "how many random operations TestAgainstModel does in all")
)

const reserve = 4 * miB

func newAllocator(ram []accept.Range, t *accept.Tracker) (accepttest.Allocator, error) {
	a := new(alloc.Allocator)
	return a, a.Init(alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram)), Tracker: t, High: reserve})
}

// agree compares the allocator's books with the model's when nothing is going on.
func agree(a accepttest.Allocator, m *accepttest.Memory) error {
	info := a.(*alloc.Allocator).Meminfo()
	if sum := info.Used + info.FreeAccepted + info.FreeUnaccepted + info.Held; sum != info.Total {
		return fmt.Errorf("%+v: the sum is %d", info, sum)
	}
	if out := m.Count().Out; info.Used != out {
		return fmt.Errorf("%d bytes used, and %d handed out", info.Used, out)
	}
	if n := m.Unaccepted(); info.FreeUnaccepted != n {
		return fmt.Errorf("%d bytes unaccepted in the books, and %d in memory", info.FreeUnaccepted, n)
	}
	return nil
}

// bound is how much may have been accepted: a tenth more than what was touched, and the reserve. The rest is for
// the guards: where a run of units is handed out, the unit after it is accepted, and counts until it is used.
func bound(touched uint64) (accepted uint64) { return touched + touched/10 + reserve + accept.UnitSize }

// TestAgainstModel does ten million random operations on some hundred machines, on every other of them by several
// goroutines. For more of them, or for what a seed found:
//
//	go test ./accept/alloc -run AgainstModel -seed N -operations 1000000000 -timeout 0
func TestAgainstModel(t *testing.T) {
	t.Logf("go test ./accept/alloc -run '^%s$' -seed %d", t.Name(), *seed)
	const perMachine = 20_000
	for s := *seed; s < *seed+uint64(*operations/perMachine); s++ {
		o := accepttest.AllocatorOptions{
			Seed:       s,
			Operations: perMachine,
			Goroutines: []int{1, 2, 1, 8}[s%4],
			MaxOrder:   []int{9, 9, 8, 5}[s/4%4],
			Quiet:      agree,
			Bound:      bound,
		}
		if s/16%4 == 0 {
			o.Fail = failOnce(int(s / 64 % 64))
			o.Bound = nil // the first units of a run are accepted when one after them fails, and then of no use
		}
		if err := accepttest.TestAllocator(newAllocator, o); err != nil {
			t.Fatal(err)
		}
	}
}

// failOnce returns a platform that refuses to accept when it has done so n times.
func failOnce(n int) func(accept.Range) error {
	return func(accept.Range) error {
		if n--; n == -1 {
			return errors.New("refused")
		}
		return nil
	}
}
