package attack

import (
	"bytes"
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// The host makes the guest's ACPI tables, and they hold code that the guest runs: AML.

// poked is where the AML of the attack stores its value: in the first MiB, which firmware has accepted and which Linux gives
// to no one.
const (
	poked      = 0x9000
	pokedValue = Mark | Mark<<8 | Mark<<16 | Mark<<24
)

// Poke is what AML in the guest's tables is to store, and where; wants is false where there is to be none.
func (h *Host) Poke() (address, value uint32, wants bool) {
	return poked, pokedValue, h.tactic.pokes
}

// pokes looks whether the guest has run it, as far as it stores to memory that is the guest's own.
func pokes(h *Host, c *x86.CPU) {
	h.step(c, fmt.Sprintf("put AML into the ACPI tables that stores to the guest's memory at %#x", poked), nil)
	var b [4]byte
	if h.memory.Read(physical.Private, poked, b[:]) == nil && bytes.Equal(b[:], bytes.Repeat([]byte{Mark}, len(b))) {
		h.deceived("AML of the host's has stored to the guest's private memory at %#x", poked)
	}
}
