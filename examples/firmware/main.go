// Command firmware shows who tells firmware that a system can accept memory, and what becomes of the memory. A firmware
// in a few lines (firmware.go) starts systems in fewer (system.go), of which some have heard of unaccepted memory and
// some have not, under each policy of package accept/negotiate; and it prints the memory map that each of them is left
// with. The machine is a model of its memory, in which accepting twice and touching early are errors.
//
//	go run ./examples/firmware
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

func main() {
	if err := play(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "firmware:", err)
		os.Exit(1)
	}
}

// play has firmware start a system in each scene.
func play(w io.Writer) error {
	for _, scene := range []struct {
		title   string
		policy  negotiate.Policy
		accepts bool
	}{
		{"firmware asks, the system can accept memory", negotiate.Negotiate, true},
		{"firmware asks, the system has never heard of it", negotiate.Negotiate, false},
		{"firmware does not ask, the system can accept memory", negotiate.Lazy, true},
		{"firmware does not ask, the system has never heard of it", negotiate.Lazy, false},
		{"firmware accepts everything before it starts anybody", negotiate.Eager, false},
	} {
		fmt.Fprintf(w, "%s: %s\n", scene.policy, scene.title)
		f, err := newFirmware(scene.policy)
		if err != nil {
			return err
		}
		s, err := start(f, scene.accepts)
		if err != nil {
			return err
		}
		n := &f.negotiation
		fmt.Fprintf(w, "  protocol offered %v, called by %d; ExitBootServices called %d times, %d MiB accepted at it\n",
			n.Offered, n.AllowedBy.Len(), s.exit.Calls, n.AcceptedLate>>20)
		for _, d := range f.memory {
			fmt.Fprintf(w, "  %#11x  %5d MiB  %v\n", d.PhysicalStart, mib(d), d.Type)
		}
		fmt.Fprintf(w, "  the system has %d MiB, accepts %d MiB when it needs them, and has lost %d MiB\n\n", s.free>>20, s.later>>20, s.lost>>20)
		if err := f.platform.Err(); err != nil {
			return err
		}
	}
	return nil
}

func mib(d uefi.MemoryDescriptor) uint64 { return d.NumberOfPages * uefi.PageSize >> 20 }
