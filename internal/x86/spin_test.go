package x86

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Counting rounds of a loop comes to the same state as executing them, at every instant, and does so for loops that change
// nothing and for no other.
func TestSpinsAreExact(t *testing.T) {
	for _, l := range []struct {
		name  string
		code  []byte
		spins bool
	}{
		{"csd_lock_wait: load, test, branch, PAUSE", machineCodeOf("8B 07 A8 01 74 04 F3 90 EB F6 F4"), true}, // mov eax, [rdi]; test al, 1; jz; pause; jmp
		{"a mailbox without PAUSE", machineCodeOf("80 3F 00 75 FB F4"), true},                                 // cmp byte [rdi], 0; jne
		{"to itself", machineCodeOf("EB FE"), true},
		{"three blocks", machineCodeOf("8B 07 EB 00 85 C0 75 F8 F4"), true},
		{"a counter", machineCodeOf("FF C1 8B 07 85 C0 75 F8 F4"), false}, // inc ecx
		{"a store", machineCodeOf("89 07 8B 07 85 C0 75 F8 F4"), false},
		{"time", machineCodeOf("0F 31 3D 00 00 00 00 EB F7"), false}, // rdtsc
		{"a device", machineCodeOf("8B 06 8B 07 85 C0 75 F8 F4"), false},
	} {
		run := func(spins bool, deadline int64) (*bare, Exit) {
			m := newBare(t, 0, l.code)
			m.spins = spins
			m.write(bareData, 1)
			m.R[uop.RDI], m.R[uop.RSI] = bareData, bareSize // of which the second is no memory
			for _, turn := range []int64{50, 101, 207} {    // which end anywhere in a round
				if turn < deadline {
					m.Run(turn)
				}
			}
			return m, m.Run(deadline)
		}
		for _, deadline := range []int64{1, 2, 3, 7, 100, 101, 102, 103, 104, 100_000} {
			executed, why := run(false, deadline)
			counted, counts := run(true, deadline)
			if why.Kind != counts.Kind || executed.Instructions() != counted.Instructions() || executed.Now() != counted.Now() {
				t.Errorf("%s, until %d: %v after %d instructions, want %v after %d", l.name, deadline, counts, counted.Instructions(), why, executed.Instructions())
			}
			a, b := state.Out(), state.Out()
			executed.Carry(a)
			counted.Carry(b)
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("%s, until %d: another state", l.name, deadline)
			}
			if spun := counted.spun > 90_000; spun != (l.spins && deadline == 100_000) {
				t.Errorf("%s, until %d: %d of %d instructions were counted only", l.name, deadline, counted.spun, counted.Instructions())
			}
		}
	}
}

func machineCodeOf(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}
