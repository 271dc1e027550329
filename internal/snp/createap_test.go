package snp_test

import (
	"encoding/binary"
	"errors"
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

// A VMSA from which a processor runs is in use: the guest's accesses end it, and no other processor starts from it. It is
// like any page before and after (Linux d2062cc1b1c3; what marks a page alone does not: [TestStoresToAVMSA]).
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
	if v := access(insnLoad); v != nil {
		t.Errorf("before it runs: %v", v)
	}
	if r, err := create(1, 1); r != 0 || err != nil {
		t.Fatalf("the first processor: %d, %v", r, err)
	}
	for _, code := range [][]byte{insnLoad, insnStore} {
		if v := access(code); v == nil || v.GPA != vmsa || !strings.Contains(v.Why, "processor 1") {
			t.Errorf("% x while it runs: %v", code, v)
		}
	}
	if _, err := create(2, 1); err == nil || !strings.Contains(err.Error(), "processor 1 runs from its VMSA") {
		t.Errorf("a second processor: %v", err)
	}
	if r, err := create(1, 1); r != 0 || err != nil {
		t.Errorf("the first processor again: %d, %v", r, err)
	}
	if r, err := create(1, 2); r != 0 || err != nil {
		t.Errorf("its end: %d, %v", r, err)
	}
	if v := access(insnStore); v != nil {
		t.Errorf("after its end: %v", v)
	}
}
