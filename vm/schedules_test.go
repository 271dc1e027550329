package vm_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

var schedulesFirst = flag.Int("schedules-first", -1, "run this one of the rows of TestManyProcessorsInManyWays, to its end")

// A sight is what a Linux guest sees of its machine, which is the same in whatever order its processors take turns.
type sight struct {
	Total  uint64 // bytes of memory, by its own count
	Usable uint64 // bytes that it was told of
	Online string // the kernel's own word
	Flags  string
}

var broughtUp = regexp.MustCompile(`smp: Brought up \d+ nodes?, (\d+) CPUs?`)

func (w *shown) sees(t testing.TB) sight {
	t.Helper()
	var r record.Record
	if err := json.Unmarshal(w.record, &r); err != nil {
		t.Fatal(err)
	}
	b := booted{&r, w.console.String()}
	b.powersOff(t)
	if r.Platform != vm.None {
		b.booksAgree(t)
	}
	up := broughtUp.FindStringSubmatch(b.console)
	if up == nil || r.Guest.MemInfo == nil || r.Path.Kernel == nil {
		t.Fatalf("the guest does not say what it sees: %v, %+v", up, r.Guest)
	}
	return sight{r.Guest.MemInfo.MemTotal, r.Path.Kernel.Usable, up[1], strings.Join(r.Guest.Flags, " ")}
}

// otherOrders runs a guest in other orders than the one in which it was shown, and has it see the same.
func otherOrders(t *testing.T, cfg vm.Config, first *shown, seeds ...uint64) {
	t.Helper()
	want := first.sees(t)
	records := [][]byte{first.record}
	for i, seed := range seeds {
		cfg.Schedule, cfg.ScheduleSeed = vm.SchedulePolicies[1+i%2], seed
		w := uninterrupted(t, cfg)
		if got := w.sees(t); got != want {
			t.Errorf("%s, seed %d: the guest sees %+v, and otherwise %+v", cfg.Schedule, seed, got, want)
		}
		for _, other := range records {
			if bytes.Equal(turns(t, other), turns(t, w.record)) {
				t.Errorf("%s, seed %d: nothing is done at another time", cfg.Schedule, seed)
			}
		}
		records = append(records, w.record)
	}
}

// turns is a record without what was asked for, which differs by itself.
func turns(t *testing.T, text []byte) []byte {
	t.Helper()
	var r record.Record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	r.Config.Schedule, r.Config.ScheduleSeed = "", 0
	b, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The long tier: Debian's kernels with 1 to 248 processors on each platform. The record is the same on repetition, however
// blocks are cut, and under each engine; other seeds give other orders in which the guest sees the same. scripts/soak processors has
// all rows. Here it is one of two processors in other orders, and others have the rest (TestManyProcessors).
func TestManyProcessorsInManyWays(t *testing.T) {
	n := 0
	for _, kernel := range []struct {
		release string
		open    func(testing.TB) *image.Image
	}{{"6.12", debian13}, {"7.3", debianBackports}} {
		for _, processors := range []int{1, 2, 8, 64, 248} {
			for _, platform := range vm.PlatformNames() {
				if n++; *schedulesFirst != n-1 {
					continue
				}
				name := fmt.Sprintf("%s with %d processors as %s", kernel.release, processors, platform)
				t.Run(name, func(t *testing.T) {
					cfg := vm.Config{Platform: platform, CPUs: processors, Image: kernel.open(t), Callers: true}
					first := uninterrupted(t, cfg)
					ways := ways(7)
					if processors > 64 {
						ways = others() // the interpreter would take too long
					}
					for _, way := range append(ways, way{}) {
						t.Log(way)
						first.same(t, uninterrupted(t, way.of(cfg)))
					}
					var orders []uint64
					if processors > 1 {
						orders = []uint64{1, 2, 3}
					}
					otherOrders(t, cfg, first, orders...)
					sees := first.sees(t)
					if sees.Online != fmt.Sprint(processors) {
						t.Errorf("%s processors are online", sees.Online)
					}
					t.Logf("ended with: %s: %d executions with one record, and %d in other orders: the guest sees %+v", name, len(ways)+2, len(orders), sees)
				})
			}
		}
	}
	if *schedulesFirst < 0 {
		t.Parallel()
		cfg := vm.Config{Platform: vm.SNP, Memory: gib, CPUs: 2, Image: debian13(t)}
		otherOrders(t, cfg, uninterrupted(t, cfg), 1)
	} else if *schedulesFirst >= n {
		t.Errorf("there are %d rows", n)
	}
}
