package vm

import (
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/disasm"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A guest that gives up calls somebody for it, and there the processor stands at the end: in firmware, at an entry point
// that is no instruction of the guest's, or at a hypercall deep in the function that restarts the machine. What a person
// wants to know is where in the kernel things went wrong.

// surrenders are the functions of Linux whose callers have given up.
var surrenders = []string{"panic", "nmi_panic", "tdx_panic", "sev_es_terminate"}

// oops matches the line in which a kernel says that an instruction of its own went wrong, and counts how often that
// was; it does not match a warning (Linux arch/x86/kernel/dumpstack.c, __die_header).
var oops = regexp.MustCompile(`\[#\d+\]`)

// oopsRIP is where that was, by name and offset; 0010 is the kernel's code segment (show_ip, show_iret_regs). A kernel
// without names prints the address instead.
var oopsRIP = regexp.MustCompile(`RIP: 0010:(?:([A-Za-z_][\w.]*)\+0x([0-9a-f]{1,16})/|(?:0x|\[<)?([0-9a-f]{16})\b)`)

// dies are the words of a panic that an oops became (arch/x86/kernel/dumpstack.c, oops_end; kernel/exit.c, do_exit).
var dies = regexp.MustCompile(`Fatal exception|Attempted to kill|panic_on_oops`)

// heed looks in a line of the console for an oops, and where that was. The latest counts: it became the panic.
func (c *console) heed(line []byte) {
	if oops.Match(line) {
		c.died = true
	}
	if c.died && c.panic == "" {
		if m := oopsRIP.Find(line); m != nil {
			c.died, c.oops = false, string(m)
		}
	}
}

// gaveUp says where a kernel went wrong that has given up: the instruction of the oops that became the panic, or else
// the call of panic itself, which is on the stack still.
func (m *Machine) gaveUp() (rip uint64, symbol string, ok bool) {
	if dies.MatchString(m.console.panic) {
		if rip, symbol, ok = m.oopsAt(m.console.oops); ok {
			return rip, symbol, true
		}
	}
	rip, ok = m.surrender()
	return rip, m.symbol(rip), ok
}

// oopsAt reads what oopsRIP has matched. A function of a module has a name and no address that is known here.
func (m *Machine) oopsAt(text string) (rip uint64, symbol string, ok bool) {
	match := oopsRIP.FindStringSubmatch(text)
	if match == nil {
		return 0, "", false
	}
	if match[3] != "" {
		rip, err := strconv.ParseUint(match[3], 16, 64)
		return rip, m.symbol(rip), err == nil
	}
	offset, err := strconv.ParseUint(match[2], 16, 64)
	moved, placed := m.kernelOffset()
	if err != nil || !placed || m.symbols() == nil {
		return 0, "", false
	}
	linked, ok := m.symbols().Address(match[1])
	rip = linked + moved + offset
	return rip, m.symbol(rip), ok
}

// surrender returns the instruction that called one of surrenders, by the return address on the stack: what is in front
// of it is a call of such a function, which no other number on a stack looks like. Of several the outermost counts.
func (m *Machine) surrender() (rip uint64, ok bool) {
	const most, word = 64 << 10, 8 // kernel stacks have 16 KiB, and 32 with KASAN
	c := m.cpu()
	var page [4096]byte
	for sp := c.State().GPR[x86.RSP] &^ (word - 1); ; {
		end := sp + min(uint64(len(page))-sp%uint64(len(page)), most)
		b := page[:end-sp]
		if end < sp || c.ReadVirtual(sp, b) != nil {
			return rip, ok
		}
		for ; len(b) >= word; b = b[word:] {
			ret := binary.LittleEndian.Uint64(b)
			if ret < kernelTextFirst || ret > kernelTextLast {
				continue
			}
			if at, target, called := m.callBefore(ret); called && target != 0 {
				if name, offset := m.lookUp(target); offset == 0 && slices.Contains(surrenders, name) {
					rip, ok = at, true
				}
			}
		}
		if sp = end; sp-c.State().GPR[x86.RSP] > most {
			return rip, ok
		}
	}
}

// callBefore returns the call that pushes the address ret, and where it goes if it says so itself.
func (m *Machine) callBefore(ret uint64) (at, target uint64, ok bool) {
	// The usual one first: what ends like a shorter call may be one with a displacement.
	for _, n := range []uint64{5, 6, 2, 3, 7, 4, 8} {
		b := make([]byte, n)
		if m.cpu().ReadVirtual(ret-n, b) != nil {
			continue
		}
		if n == 5 {
			if b[0] == 0xE8 {
				return ret - n, ret + uint64(int64(int32(binary.LittleEndian.Uint32(b[1:])))), true
			}
			continue
		}
		if in, ok := disasm.Decode(b); ok && in.Op == x86asm.CALL && in.Len == int(n) {
			return ret - n, 0, true
		}
	}
	return 0, 0, false
}

// endedAt is where the guest ended that has not given up: where the processor stands, or where it stood before an
// exception took it to firmware, or before it called the service in which it ended. Where the guest returned to firmware
// there is no such instruction.
func (m *Machine) endedAt(end error) (rip uint64, ok bool) {
	var fault *firmware.Fault
	if errors.As(end, &fault) {
		return fault.RIP, true
	}
	if v := m.unvalidated(); v != nil {
		return v.RIP, true // and not where the guest's handler gave up
	}
	c := m.cpu()
	gpa, err := c.Translate(c.RIP(), false)
	if gpa &^= m.platform.privateBit; err != nil || !m.boot.Trap(gpa) {
		return c.RIP(), true
	}
	ret, ok := m.boot.Caller(gpa)
	if at, _, called := m.callBefore(ret); called {
		return at, ok
	}
	return ret, ok
}

// locate says at which instruction the guest ended, and in which function: where a kernel gave up; where the processor
// stood before an exception took it to firmware; where it called the service in which it ended; or else where it stands.
func (m *Machine) locate(d *record.Diagnosis, outcome record.Outcome, end error) {
	c := m.cpu()
	rip, symbol, ok := uint64(0), "", false
	if outcome == record.GuestPanic || m.console.panic != "" && outcome != record.Violation {
		rip, symbol, ok = m.gaveUp()
	}
	if !ok {
		if rip, ok = m.endedAt(end); !ok {
			return
		}
		symbol = m.symbol(rip)
	}
	at := record.Address(rip)
	d.RIP, d.Symbol = &at, symbol
	if b := instructionAt(c, rip); len(b) > 0 {
		d.Instruction = disassembleAt(b, rip, m.symbolBase)
	}
}
