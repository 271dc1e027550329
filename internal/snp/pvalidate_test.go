package snp_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// APM table 15-40: sizes asked for, and sizes there.
func TestPageSizes(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size2M)
	if got := m.log.Record().Acceptance; got.By.Firmware.Bytes+got.By.Stub.Bytes+got.By.Kernel.Bytes != low+2<<20 {
		t.Errorf("recorded %+v", got)
	}
	// 4 KiB in a page of 2 MiB: the host splits it, and the other pages stay validated.
	if r, cf := m.pvalidate(page+0x5000, size4K, 0); r != abi.Success || cf {
		t.Errorf("rescinding 4 KiB of 2 MiB: %v, CF %v", r, cf)
	}
	if m.State(page+0x5000) != "not validated" || m.State(page+0x4000) != "validated" || m.State(page+0x6000) != "validated" {
		t.Error("the split has not left the others validated")
	}
	// 2 MiB in pages of 4 KiB.
	if r, cf := m.pvalidate(page, size2M, 1); r != abi.FailSizeMismatch || cf {
		t.Errorf("2 MiB of 4 KiB pages: %v, CF %v, want 6", r, cf)
	}
	if m.cpu.R[x86.RAX] != 6 {
		t.Errorf("RAX is %#x", m.cpu.R[x86.RAX])
	}
}

func TestHostPagesOf4K(t *testing.T) {
	m := newMachine(t, with4KPages)
	if r, cf := m.pvalidate(page, size2M, 1); r != abi.FailSizeMismatch || cf {
		t.Errorf("2 MiB: %v, CF %v, want 6", r, cf)
	}
	m.mustValidate(page, size4K)
	if m.State(page+0x1000) != "hypervisor-owned" {
		t.Error("more than one page was assigned")
	}
}

func TestDoubleValidationSetsCF(t *testing.T) {
	m := newMachine(t)
	for _, size := range []uint64{size4K, size2M} {
		at := uint64(page + size<<22)
		m.mustValidate(at, size)
		if r, cf := m.pvalidate(at, size, 1); r != abi.Success || !cf {
			t.Errorf("size %d: %v, CF %v, want CF", size, r, cf)
		}
		if r, cf := m.pvalidate(at, size, 0); r != abi.Success || cf {
			t.Errorf("rescinding size %d: %v, CF %v", size, r, cf)
		}
		if r, cf := m.pvalidate(at, size, 0); r != abi.Success || !cf {
			t.Errorf("rescinding size %d again: %v, CF %v, want CF", size, r, cf)
		}
	}
	r := m.log.Record().Calls[record.RMP.String()]
	if r["PVALIDATE"]["SUCCESS, CF"] != 2 || r["PVALIDATE, rescind"]["SUCCESS"] != 2 || r["PVALIDATE, rescind"]["SUCCESS, CF"] != 2 {
		t.Errorf("recorded %v", r)
	}
}

func TestPVALIDATEInputs(t *testing.T) {
	m := newMachine(t)
	for _, in := range []struct {
		what             string
		va, size, action uint64
		want             abi.Result
	}{
		{"2 MiB off their boundary", page + 0x1000, size2M, 1, abi.FailInput},
		{"a C bool as the size", page + 4<<20, 0xFE01, 1, abi.Success},
		{"a C bool as the action", page + 0x2000, size4K, 0x17FE01, abi.Success},
		{"upper halves", page + 0xFFF, size4K | 1<<40, 1 | 1<<40, abi.Success},
	} {
		if r, cf := m.pvalidate(in.va, in.size, in.action); r != in.want || cf {
			t.Errorf("%s: %v, CF %v", in.what, r, cf)
		}
	}
	const flags = x86.FlagCF | x86.FlagPF | x86.FlagAF | x86.FlagZF | x86.FlagSF | x86.FlagOF
	for result, want := range map[abi.Result]uint64{abi.Success: x86.FlagZF | x86.FlagPF, abi.FailInput: 0, abi.FailSizeMismatch: x86.FlagPF} {
		m.cpu.SetFlags(m.cpu.Flags() | flags)
		va := map[abi.Result]uint64{abi.Success: page + 0x1000, abi.FailInput: page + 0x1000, abi.FailSizeMismatch: 0}[result]
		size := uint64(size2M)
		if result == abi.Success {
			size = size4K
		} else if result == abi.FailSizeMismatch {
			m.pvalidate(0, size4K, 1) // splits
		}
		if r, _ := m.pvalidate(va, size, 1); r != result || m.cpu.Flags()&flags != want {
			t.Errorf("flags after %v are %#x, want %#x", r, m.cpu.Flags()&flags, want)
		}
	}
}

func TestPVALIDATEFaults(t *testing.T) {
	m := newMachine(t)
	if o := m.runUser(regs{x86.RAX: page, x86.RCX: 0, x86.RDX: 1}, insnPVALIDATE...); o.vector != vectorGP || o.code != 0 {
		t.Errorf("at CPL 3: %+v", o)
	}
	if o := m.run(regs{x86.RAX: 5 << 30, x86.RCX: 0, x86.RDX: 1}, insnPVALIDATE...); o.vector != vectorPF || m.cpu.State().CR2 != 5<<30 {
		t.Errorf("of an address that is not mapped: %+v, CR2 %#x", o, m.cpu.State().CR2)
	}
	if o := m.run(regs{x86.RAX: 1 << 47, x86.RCX: 0, x86.RDX: 1}, insnPVALIDATE...); o.vector != vectorGP {
		t.Errorf("of a non-canonical address: %+v", o)
	}
	for what, va := range map[string]uint64{"no memory": holeStart, "without C-bit": sharedVA + page} {
		var v *confidential.Violation
		if o := m.run(regs{x86.RAX: va, x86.RCX: 0, x86.RDX: 1}, insnPVALIDATE...); !errors.As(o.err, &v) || v.Instruction != "PVALIDATE" {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

// PVALIDATE of a page that the guest has shared takes it back, whether or not it has asked the host.
func TestPVALIDATEOfSharedPage(t *testing.T) {
	m := newMachine(t)
	m.share(page)
	m.mustValidate(page, size4K)
	if m.State(page) != "validated" || m.Shared(page, page+4096) {
		t.Errorf("the page is %s", m.State(page))
	}
}

func TestAcceptRange(t *testing.T) {
	for what, options := range map[string][]option{"2M": nil, "4K": {with4KPages}, "short requests": {withConvertLimit(3 << 12)}} {
		m := newMachine(t, options...)
		before := m.cpu.Now()
		r := accept.Range{Start: holeEnd + 0x3000, End: memorySize - 0x5000}
		if err := m.AcceptRange(m.cpu, r); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for _, gpa := range []uint64{r.Start - 1, r.Start, holeEnd + 4<<20, r.End - 1, r.End} {
			want := gpa >= r.Start && gpa < r.End
			if got := m.State(gpa) == "validated"; got != want {
				t.Errorf("%s: page at %#x is %s", what, gpa, m.State(gpa))
			}
		}
		if got := m.log.Record().Acceptance.By.Firmware.Bytes; got != low+r.Len() {
			t.Errorf("%s: firmware's acceptance is %d bytes in the record", what, got)
		}
		if what == "4K" {
			each := cost.SNP().NS(cost.Exit) + cost.SNP().NS(cost.HostAdd4K) + cost.SNP().NS(cost.RMPUpdate) + cost.SNP().NS(cost.PValidate4K)
			if got := m.cpu.Now() - before; got < int64(r.Len()/4096)*each {
				t.Errorf("%d ns for %d pages of %d ns at least", got, r.Len()/4096, each)
			}
		}
		var e *snp.ResultError
		if err := m.AcceptRange(m.cpu, accept.Range{Start: r.Start, End: r.Start + 0x1000}); !errors.As(err, &e) || e.GPA != r.Start {
			t.Errorf("%s: accepted twice: %v", what, err)
		}
		if err := m.AcceptRange(m.cpu, accept.Range{Start: holeStart, End: holeStart + 0x1000}); !errors.As(err, &e) {
			t.Errorf("%s: accepted what is no memory: %v", what, err)
		}
	}
}

func TestRMPADJUST(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	m.mustValidate(page+2<<20, size2M)
	adjust := func(va, size, rdx uint64) outcome {
		return m.run(regs{x86.RAX: va, x86.RCX: size, x86.RDX: rdx}, insnRMPADJUST...)
	}
	for _, in := range []struct {
		what          string
		va, size, rdx uint64
		want          abi.Result
	}{
		{"Linux's proof of VMPL0", page, size4K, 1, abi.Success},
		{"a VMSA", page, size4K, 1 | 1<<16, abi.Success},
		{"its own level", page, size4K, 0, abi.FailPermission},
		{"a level that there is not", page, size4K, 4, abi.FailInput},
		{"bits that mean nothing", page, size4K, 1 | 1<<17, abi.FailInput},
		{"shadow stacks, which this guest has not", page, size4K, 1 | 1<<12, abi.FailInput}, // APM table 15-36
		{"the first permission that there is not", page, size4K, 1 | 1<<13, abi.FailInput},
		{"the last permission that there is not", page, size4K, 1 | 1<<15, abi.FailInput},
		{"2 MiB off their boundary", page + 0x1000, size2M, 1, abi.FailInput},
		{"2 MiB", page + 2<<20, size2M, 1, abi.Success},
		{"4 KiB in 2 MiB, which the host splits", page + 2<<20, size4K, 1, abi.Success},
		{"2 MiB of 4 KiB pages", page + 2<<20, size2M, 1, abi.FailSizeMismatch},
	} {
		if o := adjust(in.va, in.size, in.rdx); o.vector != done || abi.Result(m.cpu.R[x86.RAX]) != in.want {
			t.Errorf("%s: %+v, %v, want %v", in.what, o, abi.Result(m.cpu.R[x86.RAX]), in.want)
		}
	}
	m.pvalidate(page+2<<20, size4K, 0)
	if o := adjust(page+2<<20, size2M, 1); o.vector != vectorVC || o.code != 0x404 { // before the sizes are compared
		t.Errorf("2 MiB of 4 KiB pages, of which the first is not validated: %+v", o)
	}
	if o := adjust(16<<20, size4K, 1); o.vector != vectorVC || o.code != 0x404 || m.cpu.State().CR2 != 16<<20 {
		t.Errorf("of a page that is not validated: %+v", o)
	}
	if o := m.runUser(regs{x86.RAX: page, x86.RCX: 0, x86.RDX: 1}, insnRMPADJUST...); o.vector != vectorGP {
		t.Errorf("at CPL 3: %+v", o)
	}
	if o := adjust(5<<30, size4K, 1); o.vector != vectorPF {
		t.Errorf("of an address that is not mapped: %+v", o)
	}
}

// A hostile host does what an honest one does, and then f.
type hostile struct {
	*host.SNP
	f func(h *host.SNP, c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error
}

func (h hostile) Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
	return h.f(h.SNP, c, gpa, p, size)
}

// Whatever the host answers to a fault, the machine goes on rightly or ends with a word about the host.
func TestHostThatDoesNotResolveFaults(t *testing.T) {
	var m *machine
	for what, f := range map[string]func(*host.SNP, *x86.CPU, uint64, physical.Plane, physical.PageSize) error{
		"does nothing":     func(*host.SNP, *x86.CPU, uint64, physical.Plane, physical.PageSize) error { return nil },
		"returns an error": func(*host.SNP, *x86.CPU, uint64, physical.Plane, physical.PageSize) error { return errors.New("no") },
		"takes away what it has split": func(h *host.SNP, c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
			if err := h.Fault(c, gpa, p, size); err != nil || size == physical.Size2M {
				return err
			}
			base := gpa &^ (2<<20 - 1)
			return m.RemovePages(c, base, base+2<<20)
		},
	} {
		arm := false
		m = newMachine(t, withHost(func(h *host.SNP) snp.Host {
			return hostile{h, func(h *host.SNP, c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
				if !arm {
					return h.Fault(c, gpa, p, size)
				}
				return f(h, c, gpa, p, size)
			}}
		}))
		m.run(nil, 0x90)
		arm = true
		var e *confidential.HostError
		if o := m.run(regs{x86.RAX: page, x86.RCX: 0, x86.RDX: 1}, insnPVALIDATE...); !errors.As(o.err, &e) || e.GPA != page {
			t.Errorf("a host that %s: PVALIDATE: %+v", what, o)
		}
		if what == "takes away what it has split" {
			continue // an access does not make it split
		}
		if o := m.run(regs{x86.RAX: page}, insnLoad...); !errors.As(o.err, &e) {
			t.Errorf("a host that %s: load: %+v", what, o)
		}
		if o := m.run(regs{x86.RAX: sharedVA + page}, insnLoad...); !errors.As(o.err, &e) || e.Plane != physical.Shared {
			t.Errorf("a host that %s: load without C-bit: %+v", what, o)
		}
	}
}

// What the host takes away or puts in its place is never the guest's until it validates it.
func TestHostThatSwapsPages(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	m.run(regs{x86.RAX: page, x86.RBX: 0x1111}, insnStore...)
	if err := m.RemovePages(m.cpu, page, page+0x1000); err != nil {
		t.Fatal(err)
	}
	if err := m.mem.Write(physical.Private, page, []byte{1, 2, 3}); err != nil { // contents of the host's choice
		t.Fatal(err)
	}
	if err := m.AddPage(m.cpu, page, physical.Size4K); err != nil {
		t.Fatal(err)
	}
	if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC || o.code != 0x404 {
		t.Errorf("load: %+v", o)
	}
	m.mustValidate(page, size4K)
	m.run(regs{x86.RAX: page}, insnLoad...)
	if v := m.cpu.R[x86.RBX]; v == 0x1111 || v&0xFFFFFF == 0x030201 {
		t.Errorf("the guest reads %#x", v)
	}
}
