package x86

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Two processors of two machines, each under an engine of its own, have to be the same at the same instruction.

// A look is what is compared of a processor after every block: all that software sees, and what is pending. Flags are
// what they come to, since engines may each have their own way to keep them. What it leaves out, the TLB and most of the
// local APIC, is for [Differences] to look at now and then. [Differs] compares the same in place, without making one.
type look struct {
	State
	MSR msrs

	Instructions, Extra        uint64
	Tally                      cost.Tally
	Pending                    Exception
	Raised, Halted, Wakes      bool
	Shadow, Repeating, NewTF   uint64
	Resuming                   uint64
	Traps                      traps
	ShadowSS                   bool
	Faults                     faultLoop
	Nesting                    nesting
	Random                     randomSource
	Requested, Serviced, Level [4]uint64 // IRR, ISR and TMR of the local APIC
	Timer                      int64
	NMI                        nmi
}

func (c *CPU) look() look {
	return look{
		State: c.State(), MSR: c.msr, Instructions: c.Instructions(), Extra: c.extra, Tally: c.tally,
		Pending: c.pending, Raised: c.raised, Halted: c.halted, Wakes: c.wakes, Shadow: c.shadow, Repeating: c.repeating, NewTF: c.newTF,
		Resuming: c.resuming, Traps: c.traps,
		ShadowSS: c.shadowSS, Faults: c.faults, Nesting: c.nesting, Random: c.random,
		Requested: c.APIC.irr, Serviced: c.APIC.isr, Level: c.APIC.tmr, Timer: c.APIC.expiry, NMI: c.nmi,
	}
}

// Differs says whether a and b differ in what software sees, or in what is pending. It is cheap enough to be asked after
// every block.
func Differs(a, b *CPU) bool {
	for i := range a.seg {
		x, y := a.seg[i], b.seg[i]
		if i == uop.SegFS || i == uop.SegGS {
			x.Base, y.Base = 0, 0 // theirs are in R
		}
		if x != y {
			return true
		}
	}
	return *(*[R15 + 1]uint64)(a.R[:]) != *(*[R15 + 1]uint64)(b.R[:]) || a.RIP() != b.RIP() || a.R[FSBase] != b.R[FSBase] || a.R[GSBase] != b.R[GSBase] ||
		a.rest != b.rest || a.flags.packed() != b.flags.packed() || a.Instructions() != b.Instructions() || a.extra != b.extra ||
		*(*[16]XMM)(a.X[:]) != *(*[16]XMM)(b.X[:]) || a.mxcsr != b.mxcsr || a.fpu != b.fpu ||
		a.cpl != b.cpl || a.gdtr != b.gdtr || a.idtr != b.idtr || a.ldtr != b.ldtr || a.tr != b.tr ||
		a.cr0 != b.cr0 || a.cr2 != b.cr2 || a.cr3 != b.cr3 || a.cr4 != b.cr4 || a.efer != b.efer || a.xcr0 != b.xcr0 || a.dr != b.dr || a.msr != b.msr ||
		a.tally != b.tally || a.raised != b.raised || a.pending != b.pending || a.halted != b.halted || a.wakes != b.wakes ||
		a.shadow != b.shadow || a.shadowSS != b.shadowSS || a.repeating != b.repeating || a.newTF != b.newTF || a.resuming != b.resuming ||
		a.traps != b.traps || a.faults != b.faults || a.nesting != b.nesting || a.nmi != b.nmi || a.random != b.random ||
		a.APIC.irr != b.APIC.irr || a.APIC.isr != b.APIC.isr || a.APIC.tmr != b.APIC.tmr || a.APIC.expiry != b.APIC.expiry || a.APIC.tpr>>4 != b.APIC.tpr>>4
}

// Differences names all in which a and b differ, with what it is in a and in b; nothing where they do not. It looks at the
// whole state, what the TLB holds included.
func Differences(a, b *CPU) []string {
	var all []string
	differences(&all, "", reflect.ValueOf(a.look()), reflect.ValueOf(b.look()))
	if len(all) > 0 {
		return all
	}
	for m := range a.tlb.data {
		for i := range a.tlb.data[m] {
			if x, y := &a.tlb.data[m][i], &b.tlb.data[m][i]; !x.holds(y) {
				all = append(all, fmt.Sprintf("entry %d of the data TLB of mode %d: %s, %s", i, m, x.describe(), y.describe()))
			}
		}
	}
	for m := range a.tlb.fetch {
		for i := range a.tlb.fetch[m] {
			if x, y := &a.tlb.fetch[m][i], &b.tlb.fetch[m][i]; !x.holds(y) {
				all = append(all, fmt.Sprintf("entry %d of the fetch TLB of mode %d: %s, %s", i, m, x.describe(), y.describe()))
			}
		}
	}
	for i := range a.tlb.tables {
		if x, y := &a.tlb.tables[i], &b.tlb.tables[i]; x.gpa != y.gpa || x.gpa != noTable && x.f != y.f {
			all = append(all, fmt.Sprintf("paging structure %d: %#x, %#x", i, x.gpa, y.gpa))
		}
	}
	if a.tlb.large != b.tlb.large {
		all = append(all, fmt.Sprintf("large pages in the TLB: %#x, %#x", a.tlb.large, b.tlb.large))
	}
	sa, sb := state.Out(), state.Out()
	a.carryRegisters(sa)
	b.carryRegisters(sb)
	if !bytes.Equal(sa.Bytes(), sb.Bytes()) {
		all = append(all, "the state as it is saved (the local APIC's registers)")
	}
	return all
}

// holds says whether two entries are the same in what is state.
func (e *tlbEntry) holds(o *tlbEntry) bool {
	if *e == *o {
		return true
	}
	read, write := inUse(e.read), inUse(e.write)
	switch {
	case read != inUse(o.read), write != inUse(o.write), read && e.read.page() != o.read.page(), write && e.write.page() != o.write.page():
		return false
	}
	return !read && !write || e.where == o.where
}

func (e *fetchEntry) holds(o *fetchEntry) bool {
	if !inUse(e.tag) || !inUse(o.tag) {
		return inUse(e.tag) == inUse(o.tag)
	}
	return e.tag.page() == o.tag.page() && e.where == o.where && e.frame == o.frame
}

// describe tells of an entry what is state.
func (e *tlbEntry) describe() string {
	read, write := inUse(e.read), inUse(e.write)
	if !read && !write {
		return "empty"
	}
	page := e.read.page()
	if !read {
		page = e.write.page()
	}
	return fmt.Sprintf("page %#x, read %v, write %v, global %v, frame %#x", page, read, write, e.global(), uint64(e.frame()))
}

func (e *fetchEntry) describe() string {
	if !inUse(e.tag) {
		return "empty"
	}
	return fmt.Sprintf("page %#x, global %v, frame %#x, address %#x", e.tag.page(), e.global(), uint64(e.frame), e.gpa())
}

// differences collects the leaves of two values of one type that differ, by their names.
func differences(all *[]string, name string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			f := a.Type().Field(i)
			inner := name
			if !f.Anonymous {
				inner = strings.TrimPrefix(name+"."+f.Name, ".")
			}
			differences(all, inner, a.Field(i), b.Field(i))
		}
	case reflect.Array:
		for i := range a.Len() {
			inner := fmt.Sprintf("%s[%d]", name, i)
			if name == "GPR" {
				inner = gprNames[i]
			}
			differences(all, inner, a.Index(i), b.Index(i))
		}
	default:
		if !a.Equal(b) {
			format := "%s: %v, %v"
			if a.CanUint() {
				format = "%s: %#x, %#x"
			}
			*all = append(*all, fmt.Sprintf(format, name, a, b))
		}
	}
}
