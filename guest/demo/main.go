//go:build linux && amd64

// Command demo is the guest that a machine runs when it is given no other: a Go program on package guest/kernel that
// shows how acceptance follows use. It allocates memory, uses it and gives it back in steps, and prints after each how
// much of memory is accepted, as numbers and as a bar. On the second serial port it reports the same to the machine,
// which holds it against its own books.
//
// Words of the load options:
//
//	hold=SIZE           how much memory the program holds at most; SIZE has a unit of M or G
//	unaccepted=lazy     accept memory when it is needed; so it is without a word
//	unaccepted=eager    accept all memory before the program starts
//	unaccepted=unknown  be a system that has never heard of unaccepted memory
//	touch               touch unaccepted memory at the end
//	nil                 dereference a nil pointer at the end
//	handover            hand the machine over at the end, which is refused first
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/guest/kernel"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("demo:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	s := kernel.Describe()
	o, err := parse(words, s.Memory)
	if err != nil {
		return err
	}
	introduce(s)
	var quote []byte
	if s.Platform == kernel.TDX {
		quote = attest()
	}
	show := newShow(s)
	if quote != nil {
		show.report.took(quote)
	}
	if err := hold(show, o.hold); err != nil {
		return err
	}
	if o.touch {
		fmt.Println("and now a byte of memory that has not been accepted")
		touchesUnaccepted()
		fmt.Println("which is no harm here")
	}
	if o.null {
		var nowhere *uint64
		fmt.Println("and now a nil pointer")
		fmt.Println(*nowhere)
	}
	show.report.done()
	if o.handOver {
		return handOver(s)
	}
	return nil
}

// options are what the load options ask for.
type options struct {
	hold                  uint64
	touch, null, handOver bool
}

// parse reads the words. Those that the kernel knows, and those for Linux, are not the program's.
func parse(words []string, memory uint64) (o options, err error) {
	// A little of large memory is enough to show what happens, and a host may not have more.
	const unit = 32 << 20
	if o.hold = min((memory/8+unit-1)/unit*unit, 512<<20); memory > 16<<30 {
		o.hold = 64 << 20
	}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "touch":
			o.touch = true
		case "nil":
			o.null = true
		case "handover":
			o.handOver = true
		case "hold":
			if o.hold, err = size(value); err != nil {
				return o, fmt.Errorf("%s: %w", w, err)
			}
		}
	}
	return o, nil
}

func size(s string) (uint64, error) {
	for unit, shift := range map[string]uint{"M": 20, "G": 30} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 24)
			return n << shift, err
		}
	}
	return 0, fmt.Errorf("want a number with M or G")
}

// introduce says what the kernel found.
func introduce(s kernel.System) {
	fmt.Printf("%s on %v, %s of memory, no other kernel; %s\n", runtime.Version(), s.Platform, mib(s.Memory), time.Now().UTC().Format(time.DateTime))
	if s.Platform == kernel.Plain && s.Unaccepted == 0 {
		fmt.Println("nothing here has to be accepted")
		return
	}
	calls := "once"
	if s.ExitCalls != 1 {
		calls = fmt.Sprint(s.ExitCalls, " times")
	}
	fmt.Printf("firmware left %s unaccepted; AllowUnacceptedMemory: %s; ExitBootServices called %s\n", mib(s.Unaccepted), s.Answer(), calls)
	if s.Table != 0 {
		whose := "made"
		if s.TookOver != 0 {
			whose = "found and taken over"
		}
		fmt.Printf("table of unaccepted memory %s at %#x: %d bytes, a bit for 2 MiB; %d KiB accepted up front\n",
			whose, s.Table, s.TableBytes, s.UpFront>>10)
	}
}

// attest asks the host for a quote, through memory that is shared with it. It returns nil where there is none.
func attest() []byte {
	quote, err := kernel.Quote([64]byte{})
	if err != nil {
		fmt.Println("asked the host for a quote:", err)
		return nil
	}
	fmt.Printf("the host made a quote of %d bytes\n", len(quote))
	return quote
}

// hold takes memory piece by piece, gives most of it back, and takes some again. After each step it looks whether all
// that it has written is still there.
func hold(show *show, most uint64) error {
	var held [][]byte
	var holding uint64
	step := func(name string) error {
		for i, b := range held {
			if err := check(b, byte(i)); err != nil {
				return err
			}
		}
		show.step(name, holding)
		return nil
	}
	take := func() {
		held = append(held, use(most/16, byte(len(held))))
		holding += most / 16
	}
	if err := step("start"); err != nil {
		return err
	}
	for holding < most {
		take()
		if holding&(holding-1) == 0 || holding == most {
			if err := step("hold"); err != nil {
				return err
			}
		}
	}
	keep := len(held) / 4
	clear(held[keep:])
	held, holding = held[:keep], holding/4
	debug.FreeOSMemory()
	if err := step("give back"); err != nil {
		return err
	}
	for range keep {
		take()
	}
	return step("take again")
}

// stride is how far apart the bytes are that the program uses. Each piece of memory has its own mark in them.
const stride = 64 << 10

// use allocates memory and writes to it.
func use(n uint64, mark byte) []byte {
	b := make([]byte, n)
	for i := 0; i < len(b); i += stride {
		b[i] = mark ^ byte(i/stride) | 1
	}
	return b
}

// check says what is not there any more of what use has written, or what is where nothing was written.
func check(b []byte, mark byte) error {
	for i := 0; i < len(b); i += stride {
		if want := mark ^ byte(i/stride) | 1; b[i] != want || b[i+1] != 0 {
			return fmt.Errorf("DECEIVED: memory holds %#x %#x, and should hold %#x 0x0", b[i], b[i+1], want)
		}
	}
	return nil
}

// touchesUnaccepted has a name that is to be found in diagnoses.
//
//go:noinline
func touchesUnaccepted() { kernel.Touch() }

// handOver tries what the kernel must not do, then does it properly.
func handOver(s kernel.System) error {
	code := kernel.NextStage()
	switch err := kernel.HandOver(code, false); {
	case err == nil:
		return fmt.Errorf("the next one returned")
	default:
		fmt.Println("handing over to a system that does not know unaccepted memory:", err)
	}
	began := time.Now()
	kernel.AcceptAll()
	fmt.Printf("accepted the rest of %s in %v, and hand over\n", mib(s.Memory), time.Since(began).Round(time.Microsecond))
	return kernel.HandOver(code, false)
}
