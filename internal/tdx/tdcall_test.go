package tdx_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

func TestUndefinedLeaves(t *testing.T) {
	m := newMachine(t)
	for _, rax := range []uint64{13, 14, 17, 19, 21, 22, 28, 0xFFFF, 1 << 24, 1<<63 | 1, 1<<32 | 6, 1<<16 | 1, 1<<16 | 6, 1<<16 | 8, 1<<16 | 9, 1<<16 | 11, 2<<16 | 7} {
		want := map[int]uint64{}
		for i := range 16 {
			want[i] = m.cpu.R[i]
		}
		if s := abi.Status(m.tdcall(regs{x86.RAX: rax})); s != operandRAX {
			t.Errorf("RAX %#x: %v, want %v", rax, s, operandRAX)
		}
		if rax == 2<<16|7 {
			continue // TDG.VM.RD has versions, and R8 is its output
		}
		for i, v := range want {
			if i != x86.RAX && i != x86.RSP && m.cpu.R[i] != v {
				t.Errorf("RAX %#x: register %d went from %#x to %#x", rax, i, v, m.cpu.R[i])
			}
		}
	}
}

// Outside 64-bit mode TDCALL is #GP(0) before anything is looked at (module, tdx_td_dispatcher.c, td_call).
func TestTDCALLOutsideOf64BitMode(t *testing.T) {
	const longCode = 1 << 13 // attribute L
	m := newMachine(t)
	s := m.cpu.State()
	s.Seg[1].Attr = s.Seg[1].Attr&^longCode | 1<<14 // D
	m.cpu.SetState(&s)
	r := regs{x86.RAX: 1, x86.RCX: 0x55}
	if o := m.run(r, 0x66, 0x0F, 0x01, 0xCC); o.vector != vectorGP || o.code != 0 || m.cpu.R[x86.RCX] != 0x55 {
		t.Errorf("in compatibility mode: %+v, RCX %#x", o, m.cpu.R[x86.RCX])
	}
}

// What a TD without L2 VMs is told of leaves that are about them (module, tdg_vp_enter.c, tdg_vp_invept.c,
// tdg_vp_invvpid.c).
func TestLeavesOfL2VMs(t *testing.T) {
	m := newMachine(t)
	const operandRDX = abi.Status(0xC000010000000002)
	for _, c := range []struct {
		what          string
		rax, rcx, rdx uint64
		want          abi.Status
	}{
		{"VP.ENTER of VM 1", 25, 1 << 52, dataAt, operandRCX},
		{"VP.ENTER of none", 25, 0, dataAt, operandRCX},
		{"VP.ENTER with registers off their boundary", 25, 1 << 52, dataAt + 128, operandRDX},
		{"VP.ENTER with registers in shared memory", 25, 1 << 52, m.SharedBit() | dataAt, operandRDX},
		{"VP.ENTER with registers above all memory", 25, 1 << 52, 1 << 51, operandRDX},
		{"VP.INVEPT of none", 26, 0, 0, abi.Success},
		{"VP.INVEPT of the TD itself", 26, 1, 0, operandRCX},
		{"VP.INVEPT of VM 1", 26, 2, 0, operandRCX},
		{"VP.INVVPID of none", 27, 0, 0, operandRCX},
		{"VP.INVVPID of VM 1", 27, 1 << 52, 0, operandRCX},
		{"version 1", 1<<16 | 26, 0, 0, operandRAX},
	} {
		if s := abi.Status(m.tdcall(regs{x86.RAX: c.rax, x86.RCX: c.rcx, x86.RDX: c.rdx})); s != c.want {
			t.Errorf("%s: %v, want %v", c.what, s, c.want)
		}
	}
}

func TestVPInfo(t *testing.T) {
	m := newMachine(t)
	if s := m.tdcall(regs{x86.RAX: 1, x86.RBX: 0x77, x86.R12: 0x88}); s != 0 {
		t.Fatalf("status %#x", s)
	}
	want := regs{x86.RCX: 48, x86.RDX: 1 << 28, x86.R8: 1<<32 | 1, x86.R9: 0, x86.R10: 1, x86.R11: 0, x86.RBX: 0x77, x86.R12: 0x88}
	for i, v := range want {
		if m.cpu.R[i] != v {
			t.Errorf("register %d is %#x, want %#x", i, m.cpu.R[i], v)
		}
	}
	m = newMachine(t, withGPAW52, withVE)
	if m.tdcall(regs{x86.RAX: 1}); m.cpu.R[x86.RCX] != 52 || m.cpu.R[x86.RDX] != 0 {
		t.Errorf("GPAW %d, ATTRIBUTES %#x", m.cpu.R[x86.RCX], m.cpu.R[x86.RDX])
	}
}

// The fields that Linux asks for at boot, with the identifiers that it uses (arch/x86/include/asm/shared/tdx.h).
func TestVMReadAndWrite(t *testing.T) {
	const (
		configFlags        = 0x1110000300000016
		tdCtls             = 0x1110000300000017
		notifyEnables      = 0x9100000000000010
		topologyConfigured = 0x9100000000000019
		badField           = abi.MetadataFieldIDIncorrect
	)
	m := newMachine(t)
	read := func(field, want uint64, status abi.Status) {
		t.Helper()
		s := abi.Status(m.tdcall(regs{x86.RAX: 7, x86.RCX: 0, x86.RDX: field, x86.R8: 0x5555}))
		if s != status || m.cpu.R[x86.R8] != want || m.cpu.R[x86.RDX] != field {
			t.Errorf("TDG.VM.RD %#x: %v, R8 %#x; want %v, %#x", field, s, m.cpu.R[x86.R8], status, want)
		}
	}
	write := func(field, value, mask, old uint64, status abi.Status) {
		t.Helper()
		s := abi.Status(m.tdcall(regs{x86.RAX: 8, x86.RCX: 0, x86.RDX: field, x86.R8: value, x86.R9: mask}))
		if s != status || m.cpu.R[x86.R8] != old {
			t.Errorf("TDG.VM.WR %#x = %#x, mask %#x: %v, R8 %#x; want %v, %#x", field, value, mask, s, m.cpu.R[x86.R8], status, old)
		}
	}
	write(notifyEnables, 0, ^uint64(0), 0, abi.Success)
	write(notifyEnables, 1, 1, 0, abi.Success)
	read(notifyEnables, 1, abi.Success)
	write(notifyEnables, 2, 3, 0, abi.MetadataValueNotValid)
	read(configFlags, 4, abi.Success) // not flexible
	read(tdCtls, 1, abi.Success)      // PENDING_VE_DISABLE
	write(tdCtls, 1, 1, 1, abi.Success)
	write(tdCtls, 0, 1, 0, abi.MetadataValueNotValid)
	write(tdCtls, 8, 8, 0, abi.MetadataNotWritable) // REDUCE_VE
	write(configFlags, 2, 2, 0, abi.MetadataNotWritable)
	read(topologyConfigured, 0, badField)
	read(0x1110000300000000, 1<<28, abi.Success) // ATTRIBUTES
	read(0x1110000300000001, 3, abi.Success)     // XFAM
	read(0x111000010000000C, 40, abi.Success)    // TSC_FREQUENCY, 25 MHz
	read(0x1310000300000040, 0, abi.Success)     // RTMR[0]
	read(0x1310000300000057, 0, abi.Success)     // RTMR[3], its last element
	read(configFlags|1<<24, 0, badField)
	read(configFlags|1<<62, 0, badField)
	read(configFlags|1<<34, 0, badField)
	if s := abi.Status(m.tdcall(regs{x86.RAX: 7, x86.RCX: 1, x86.RDX: configFlags})); s != operandRCX {
		t.Errorf("TDG.VM.RD of another VM: %v", s)
	}
	m = newMachine(t, withVE)
	read(tdCtls, 0, abi.Success)
}

func TestRTMRExtend(t *testing.T) {
	m := newMachine(t)
	data := bytes.Repeat([]byte{0xA5}, 48)
	if err := m.mem.Write(physical.Private, dataAt, data); err != nil {
		t.Fatal(err)
	}
	var rtmr [48]byte
	for range 2 {
		if s := abi.Status(m.tdcall(regs{x86.RAX: 2, x86.RCX: dataAt, x86.RDX: 2})); s != abi.Success {
			t.Fatal(s)
		}
		rtmr = sha512.Sum384(append(rtmr[:], data...))
	}
	for i := range uint64(6) {
		m.tdcall(regs{x86.RAX: 7, x86.RCX: 0, x86.RDX: 0x131000030000004C + i}) // RTMRs are six elements apart
		if got, want := m.cpu.R[x86.R8], binary.LittleEndian.Uint64(rtmr[8*i:]); got != want {
			t.Errorf("RTMR[2], element %d is %#x, want %#x", i, got, want)
		}
	}
	for _, test := range []struct {
		gpa, index uint64
		want       abi.Status
	}{{dataAt + 8, 0, operandRCX}, {m.SharedBit() | dataAt, 0, operandRCX}, {dataAt, 4, 0xC000010000000002}} {
		if s := abi.Status(m.tdcall(regs{x86.RAX: 2, x86.RCX: test.gpa, x86.RDX: test.index})); s != test.want {
			t.Errorf("RTMR.EXTEND of %#x, %d: %v, want %v", test.gpa, test.index, s, test.want)
		}
	}
	o := m.run(regs{x86.RAX: 2, x86.RCX: unit, x86.RDX: 0}, 0x66, 0x0F, 0x01, 0xCC)
	m.wantViolation(o, confidential.Violation{GPA: unit, Access: x86.Read, RIP: codeAt, State: "absent"})
}

func TestReport(t *testing.T) {
	m := newMachine(t)
	nonce := bytes.Repeat([]byte{0x5A}, 64)
	if err := m.mem.Write(physical.Private, dataAt, nonce); err != nil {
		t.Fatal(err)
	}
	const at = dataAt + 0x400
	if s := abi.Status(m.tdcall(regs{x86.RAX: 4, x86.RCX: at, x86.RDX: dataAt, x86.R8: 0})); s != abi.Success {
		t.Fatal(s)
	}
	var r [1024]byte
	if err := m.mem.Read(physical.Private, at, r[:]); err != nil {
		t.Fatal(err)
	}
	info := sha512.Sum384(r[512:])
	if r[0] != 0x81 || !bytes.Equal(r[128:192], nonce) || binary.LittleEndian.Uint64(r[512:]) != 1<<28 || !bytes.Equal(r[80:128], info[:]) {
		t.Errorf("report % x", r)
	}
	for _, test := range []struct {
		to, from, subtype uint64
		want              abi.Status
	}{{at + 64, dataAt, 0, operandRCX}, {at, dataAt + 8, 0, 0xC000010000000002}, {at, dataAt, 1, 0xC000010000000008}, {1 << 60, dataAt, 0, operandRCX},
		{1 << 48, dataAt, 0, operandRCX}, {at, 1 << 48, 0, 0xC000010000000002}} { // just beyond what GPAW 48 has
		if s := abi.Status(m.tdcall(regs{x86.RAX: 4, x86.RCX: test.to, x86.RDX: test.from, x86.R8: test.subtype})); s != test.want {
			t.Errorf("MR.REPORT to %#x from %#x, subtype %d: %v, want %v", test.to, test.from, test.subtype, s, test.want)
		}
	}
}

// Whatever is in the registers, TDCALL ends, with a status, an exception or a reason to stop.
func FuzzTDCALL(f *testing.F) {
	f.Add(uint64(0), uint64(vmcallMask), uint64(0), uint64(0), uint64(0), uint64(0x10001), uint64(1<<47), ^uint64(0))
	f.Add(uint64(0), ^uint64(0), uint64(0), uint64(0), uint64(0), uint64(30), uint64(4), uint64(0))
	f.Add(uint64(0), uint64(vmcallMask), uint64(0), uint64(0), uint64(0), uint64(12), uint64(0), uint64(0)) // HLT
	f.Add(uint64(6), uint64(0x400001), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0))
	f.Add(uint64(7), uint64(0), uint64(0x1110000300000016), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0))
	for _, leaf := range []uint64{1<<16 | 7, 9, 10, 11, 12, 18, 20, 23, 24} {
		f.Add(leaf, uint64(0), uint64(0xA120000000000005), ^uint64(0), uint64(0), uint64(0), uint64(0), uint64(0))
		f.Add(leaf, uint64(unit|1), ^uint64(0), uint64(0x9900000300000502), uint64(0), uint64(0), uint64(0), uint64(0))
	}
	f.Fuzz(func(t *testing.T, rax, rcx, rdx, r8, r10, r11, r12, r13 uint64) {
		m := newMachine(t)
		before := m.Unaccepted()
		m.run(regs{x86.RAX: rax, x86.RCX: rcx, x86.RDX: rdx, x86.R8: r8, x86.R10: r10, x86.R11: r11, x86.R12: r12, x86.R13: r13},
			0x66, 0x0F, 0x01, 0xCC)
		if after := m.Unaccepted(); after > before {
			t.Errorf("unaccepted memory went from %d to %d", before, after)
		}
	})
}
