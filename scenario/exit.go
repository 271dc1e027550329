package scenario

import (
	"fmt"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Leaving boot services: firmware that accepts memory at ExitBootServices changes the memory map by it, so the first call's
// key is out of date.

// leaves is a machine with a program that calls ExitBootServices so many times.
func leaves(times byte, platform, policy string) func(*shelf) (vm.Config, error) {
	return func(*shelf) (c vm.Config, err error) {
		c = vm.Config{Platform: platform, FirmwarePolicy: policy}
		c.Image, err = leaver(times)
		return c, err
	}
}

// left says whether the program has left boot services, after so many calls.
func left(b Boot, calls int) bool {
	return b.Record.Outcome == record.PowerOff && b.Record.Negotiation.ExitBootServices == calls
}

func exits(b Boot) string {
	if n := b.Record.Negotiation.ExitBootServices; b.Record.Outcome == record.PowerOff {
		return fmt.Sprintf("left with call %d", n)
	}
	return ended(b)
}

func ofExit() []*Scenario {
	return []*Scenario{
		{
			Name:     "unikraft#1105",
			What:     "ExitBootServices fails in an SEV-SNP guest, and a program that does not try again stops there",
			Source:   "https://github.com/unikraft/unikraft/pull/1105",
			Expected: "EFI_INVALID_PARAMETER at the first call, success at the second with a new map (UEFI 2.10, section 7.4.6; EDK2, OvmfPkg/AmdSevDxe accepts before that)",
			boots: []boot{
				{"once", leaves(1, vm.SNP, "upstream")},
				{"twice", leaves(2, vm.SNP, "upstream")},
			},
			judge: func(b []Boot) (string, bool) {
				return fmt.Sprintf("once: %s; twice: %s", exits(b[0]), exits(b[1])),
					b[0].Record.Outcome == record.Halted && b[0].Record.Negotiation.AcceptedAtExit > 0 && left(b[1], 2)
			},
		},
		{
			Name:     "no-retry",
			What:     "a program that calls ExitBootServices once leaves a TD's upstream firmware, and not one that negotiates",
			Source:   "RATIONALE.md#why-does-exitbootservices-fail-for-a-program-that-calls-it-once",
			Expected: "under upstream TDX firmware it leaves, and memory stays unaccepted; negotiating firmware accepts it and refuses; a program that tries again leaves with all of it (UEFI 2.10, section 7.4.6)",
			boots: []boot{
				{"upstream", leaves(1, vm.TDX, "upstream")},
				{"negotiate", leaves(1, vm.TDX, "negotiate")},
				{"negotiate, twice", leaves(2, vm.TDX, "negotiate")},
			},
			judge: func(b []Boot) (string, bool) {
				return fmt.Sprintf("upstream: %s, and %s not accepted; negotiate: %s; twice: %s", exits(b[0]), record.FormatBytes(unaccepted(b[0])), exits(b[1]), exits(b[2])),
					left(b[0], 1) && unaccepted(b[0]) > 0 && b[1].Record.Outcome == record.Halted && left(b[2], 2) && unaccepted(b[2]) == 0
			},
		},
	}
}
