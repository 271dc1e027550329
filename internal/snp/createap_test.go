package snp_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/internal/x86/enginetest"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// others are processors that a guest starts: they are put into their state and never run.
type others map[int]*x86.CPU

func (o others) Start(id int, enter func(c *x86.CPU) error) error { return enter(o[id]) }
func (o others) Stop(int)                                         {}

// withOthers gives the machine two processors more.
func withOthers() (*others, option) {
	o := others{}
	return &o, func(c *snp.Config, _ *host.Config, _ *host.SNPConfig) { c.CPUs, c.Processors = 3, o }
}

// A VMSA from which a processor runs is in use: the guest's accesses end it, also PVALIDATE and RMPADJUST, the host's RMPUPDATE
// says FAIL_INUSE, and no other processor starts from it. It is like any page before and after (APM 15.36.12; Linux
// d2062cc1b1c3; what marks a page alone does not: [TestStoresToAVMSA]).
func TestVMSAInUse(t *testing.T) {
	o, with := withOthers()
	m := newMachine(t, with)
	for id := 1; id < 3; id++ {
		(*o)[id] = x86.New(enginetest.Under(x86.Config{ID: id, Memory: m.mem, Platform: m.Platform, Bus: m.bus, Traps: traps{}, EFER: snp.EFER}))
	}
	g := m.withGHCB()
	const vmsa = page + 0x1000
	create := func(id, what uint64) (uint64, error) {
		t.Helper()
		g.wipe()
		g.set(gRAX, 1) // SEV_FEATURES
		o := g.tryExit(0x8000_0013, id<<32|what, vmsa)
		return g.get(gInfo1), o.err
	}
	access := func(code []byte) *confidential.Violation {
		var v *confidential.Violation
		if o := m.run(regs{x86.RAX: vmsa, x86.RBX: 7}, code...); o.err != nil && !errors.As(o.err, &v) {
			t.Fatalf("%+v", o)
		}
		return v
	}
	must(t, m.AddPage(m.cpu, vmsa, physical.Size4K))
	m.mustValidate(vmsa, size4K)
	b := make([]byte, 4096)
	binary.LittleEndian.PutUint64(b[0xD0:], 1<<12)            // EFER.SVME
	binary.LittleEndian.PutUint64(b[0x3B0:], 1)               // SEV_FEATURES
	binary.LittleEndian.PutUint64(b[0x158:], 0x6000_0010)     // CR0
	binary.LittleEndian.PutUint64(b[0x268:], 0x7040600070406) // PAT
	m.writeBytes(vmsa, b)
	if r := m.rmpadjust(vmsa, size4K, 1|abi.AdjustVMSA); r != abi.Success {
		t.Fatal(r)
	}
	idle := func(what string, want uint64) {
		t.Helper()
		if n := m.IdleVMSAs(); n != want {
			t.Errorf("%s: %d VMSAs are idle, want %d", what, n, want)
		}
	}
	if v := access(insnLoad); v != nil {
		t.Errorf("before it runs: %v", v)
	}
	idle("before it runs", 1)
	if r, err := create(1, 1); r != 0 || err != nil {
		t.Fatalf("the first processor: %d, %v", r, err)
	}
	idle("while it runs", 0)
	for _, code := range [][]byte{insnLoad, insnStore} {
		if v := access(code); v == nil || v.GPA != vmsa || !strings.Contains(v.Why, "processor 1") {
			t.Errorf("% x while it runs: %v", code, v)
		}
	}
	for _, in := range []struct {
		code []byte
		rdx  uint64
	}{{insnPVALIDATE, 0}, {insnPVALIDATE, 1}, {insnRMPADJUST, 1}} {
		var v *confidential.Violation
		if o := m.run(regs{x86.RAX: vmsa, x86.RCX: size4K, x86.RDX: in.rdx}, in.code...); !errors.As(o.err, &v) || !strings.Contains(v.Why, "processor 1") {
			t.Errorf("% x of it, RDX %d: %+v", in.code, in.rdx, o)
		}
	}
	var refused *snp.ResultError
	if err := m.RemovePages(m.cpu, page, page+2<<20); !errors.As(err, &refused) || refused.Result != abi.FailInUse || refused.GPA != vmsa {
		t.Errorf("RMPUPDATE of it: %v", err)
	}
	if _, err := create(2, 1); err == nil || !strings.Contains(err.Error(), "processor 1 runs from its VMSA") {
		t.Errorf("a second processor: %v", err)
	}
	if r, err := create(1, 1); r != 0 || err != nil {
		t.Errorf("the first processor again: %d, %v", r, err)
	}
	if err := m.RunFrom(1, vmsa); err != nil {
		t.Errorf("where the host wants it itself: %v", err)
	}
	if r, err := create(1, 2); r != 0 || err != nil {
		t.Errorf("its end: %d, %v", r, err)
	}
	if v := access(insnStore); v != nil {
		t.Errorf("after its end: %v", v)
	}
	idle("after its end", 1)
	if r := m.rmpadjust(vmsa, size4K, 1); r != abi.Success {
		t.Errorf("RMPADJUST after its end: %v", r)
	}
	idle("without its mark", 0)
	if err := m.RunFrom(1, vmsa); err == nil || !strings.Contains(err.Error(), "not marked") {
		t.Errorf("without its mark, where the host wants it: %v", err)
	}
	if err := m.RunFrom(3, vmsa); err == nil {
		t.Error("a processor that there is not runs")
	}
}

// stops are the processors that a guest has stopped.
type stops []int

func (s *stops) Start(int, func(c *x86.CPU) error) error { return nil }
func (s *stops) Stop(id int)                             { *s = append(*s, id) }

// A processor that waits to be started, by the GHCB or by its MSR, takes no turns until another has it begin anew (KVM sev.c,
// kvm_emulate_ap_reset_hold).
func TestAPResetHold(t *testing.T) {
	s := &stops{}
	m := newMachine(t, func(c *snp.Config, _ *host.Config, _ *host.SNPConfig) { c.CPUs, c.Processors = 2, s })
	m.setGHCBMSR(6)
	if o := m.run(nil, insnVMGEXIT...); o.err != nil {
		t.Errorf("by MSR: %+v", o)
	}
	g := m.withGHCB()
	if o := g.tryExit(0x8000_0004, 0, 0); o.err != nil {
		t.Errorf("by the GHCB: %+v", o)
	}
	if !slices.Equal(*s, stops{0, 0}) {
		t.Errorf("processors %v have been stopped", *s)
	}
}

// What KVM refuses of AP creation before anything is started (sev.c, sev_snp_ap_creation), and what VMRUN refuses of the VMSA (APM
// vol. 2, table 15-41).
func TestAPCreationInputs(t *testing.T) {
	o, with := withOthers()
	m := newMachine(t, with)
	(*o)[1] = x86.New(enginetest.Under(x86.Config{ID: 1, Memory: m.mem, Platform: m.Platform, Bus: m.bus, Traps: traps{}, EFER: snp.EFER}))
	g := m.withGHCB()
	const vmsa = page + 0x1000
	for _, in := range []struct {
		what                string
		rax                 uint64 // SEV_FEATURES; none for not valid
		id, request, vmsaAt uint64
		info1, info2        uint64
	}{
		{"no SEV_FEATURES", none, 1, 1, vmsa, 2, 4},
		{"no SEV_FEATURES and no such request", none, 1, 3, vmsa, 2, 4},
		{"other SEV_FEATURES", 9, 1, 1, vmsa, 2, 5},
		{"a VMSA within a page", 1, 1, 1, vmsa + 8, 2, 5},
		{"a VMSA at 2 MiB", 1, 1, 1, page, 2, 5},
		{"a VMSA where there is no memory", 1, 1, 1, holeStart + 0x1000, 2, 5},
		{"no such processor", 1, 7, 1, vmsa, 2, 5},
		{"no such request", 1, 1, 3, vmsa, 2, 5},
		{"another privilege level", 1, 1, 1 | 1<<16, vmsa, 2, 5},
		{"on INIT, which never comes", 1, 1, 0, vmsa, 0, 0},
		{"an end, for which nothing has to be valid", none, 1, 2, 0, 0, 0},
	} {
		g.wipe()
		if in.rax != none {
			g.set(gRAX, in.rax)
		}
		if i1, i2 := g.exit(0x8000_0013, in.id<<32|in.request, in.vmsaAt); i1 != in.info1 || i2 != in.info2 {
			t.Errorf("%s: %d, %d, want %d, %d", in.what, i1, i2, in.info1, in.info2)
		}
	}
	try := func(what string) {
		t.Helper()
		g.wipe()
		g.set(gRAX, 1)
		if o := g.tryExit(0x8000_0013, 1<<32|1, vmsa); o.err == nil || !strings.Contains(o.err.Error(), "processor 1 cannot run") {
			t.Errorf("%s: %+v", what, o)
		}
	}
	try("a page that is not the guest's")
	must(t, m.AddPage(m.cpu, vmsa, physical.Size4K))
	m.mustValidate(vmsa, size4K)
	m.writeBytes(vmsa, make([]byte, 4096))
	try("a page that is not marked")
	if r := m.rmpadjust(vmsa, size4K, 1|abi.AdjustVMSA); r != abi.Success {
		t.Fatal(r)
	}
	try("a VMSA of another guest: without SVME")
}

const none = ^uint64(0)
