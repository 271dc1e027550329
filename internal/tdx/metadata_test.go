package tdx_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Leaves, and identifiers of module 1.5.01's tables (auto_gen/*_fields_lookup.c).
const (
	vmRD, vpRD, vpWR, sysRD, sysRDALL = 1<<16 | 7, 9, 10, 11, 12

	none    = ^uint64(0)
	first   = abi.Status(0x0000_0C0B_0000_0000)
	wrongID = abi.MetadataFieldIDIncorrect
)

// goThrough is what a guest does that wants all fields: it asks for the first, and for the one after each.
func goThrough(t *testing.T, m *machine, leaf uint64) (ids, values []uint64) {
	t.Helper()
	if s := abi.Status(m.tdcall(regs{x86.RAX: leaf, x86.RCX: 0, x86.RDX: none, x86.R8: 5})); s != first || m.cpu.R[x86.R8] != 0 {
		t.Fatalf("asked for no field: %v, R8 %#x", s, m.cpu.R[x86.R8])
	}
	for id := m.cpu.R[x86.RDX]; id != none; id = m.cpu.R[x86.RDX] {
		if s := abi.Status(m.tdcall(regs{x86.RAX: leaf, x86.RCX: 0, x86.RDX: id})); s != abi.Success || len(ids) > 1000 {
			t.Fatalf("field %#x, after %d: %v", id, len(ids), s)
		}
		ids, values = append(ids, id), append(values, m.cpu.R[x86.R8])
	}
	return ids, values
}

// upTo lists n identifiers.
func upTo(n int, id uint64) (all []uint64) {
	for i := range n {
		all = append(all, id+uint64(i))
	}
	return all
}

// TDG.VM.RD, version 1: a guest comes through all that is its to read, in the order of the module's table.
func TestVMReadGoesOn(t *testing.T) {
	m := newMachine(t)
	ids, values := goThrough(t, m, vmRD)
	want := slices.Concat(upTo(4, 0x8010000300000020), []uint64{0x9010000200000001, 0x9010000100000005, 0x1110000300000000, 0x1110000300000001,
		0x1110000200000002, 0x1110000000000003, 0x111000010000000C, 0x9110000300000010, 0x1110000300000016, 0x1110000300000017},
		upTo(6, 0x1310000300000000), upTo(6, 0x1310000300000010), upTo(6, 0x1310000300000018), upTo(6, 0x1310000300000020), upTo(24, 0x1310000300000040),
		upTo(4, 0x9810000300000040), upTo(6, 0x9910000300000000), []uint64{0x9910000100000006}, upTo(16, 0x9910000300000080))
	if !slices.Equal(ids, want) {
		t.Errorf("fields %#x, want %#x", ids, want)
	}
	if i := slices.Index(ids, 0x1110000300000016); i < 0 || values[i] != 4 || values[i+1] != 1 {
		t.Errorf("CONFIG_FLAGS and TD_CTLS are not among %#x", values)
	}
	const hkid = 0x8110000100000001
	for _, f := range []struct {
		rcx, id uint64
		want    abi.Status
	}{{0, hkid, abi.MetadataNotReadable}, {0, none &^ (1 << 62), wrongID}, {1, 0x1110000300000000, operandRCX}} {
		if s := abi.Status(m.tdcall(regs{x86.RAX: vmRD, x86.RCX: f.rcx, x86.RDX: f.id, x86.R8: 5})); s != f.want || m.cpu.R[x86.RDX] != none || m.cpu.R[x86.R8] != 0 {
			t.Errorf("TDG.VM.RD of %#x: %v, RDX %#x, R8 %#x; want %v", f.id, s, m.cpu.R[x86.RDX], m.cpu.R[x86.R8], f.want)
		}
	}
	// What the caller says of sizes stays where the next element is of the same field; the context is the leaf's.
	if m.tdcall(regs{x86.RAX: vmRD, x86.RCX: 0, x86.RDX: 0x1300000000000000}); m.cpu.R[x86.RDX] != 0x1310000000000001 {
		t.Errorf("after MRTD's first element by another size comes %#x", m.cpu.R[x86.RDX])
	}
	if s := abi.Status(m.tdcall(regs{x86.RAX: vmRD, x86.RCX: 0, x86.RDX: none &^ (7 << 52)})); s != first {
		t.Errorf("no field, of another context: %v", s)
	}
}

func TestVPReadAndWrite(t *testing.T) {
	const (
		index, supervisorVE, userVE         = 0xA020000200000002, 0xA020000000000007, 0xA020000000000008
		l2Ctls, deadline, control           = 0xA020000300000050, 0xA020000300000058, 0xA120000000000000
		vmcsTDVPS, exitReason, xbuff, vapic = 0x0024000200004400, 0x0220000200000000, 0x12200003000005FF, 0x0120000300000000
	)
	m := newMachine(t)
	ids, values := goThrough(t, m, vpRD)
	want := slices.Concat([]uint64{index, supervisorVE, userVE}, upTo(4, l2Ctls), upTo(4, deadline), upTo(128, control))
	if !slices.Equal(ids, want) || values[0] != 0 || values[7] != none || values[8] != 0 {
		t.Errorf("fields %#x with %#x, want %#x", ids, values, want)
	}
	read := func(id, want uint64, status abi.Status) {
		t.Helper()
		s := abi.Status(m.tdcall(regs{x86.RAX: vpRD, x86.RCX: 0, x86.RDX: id, x86.R8: 5}))
		if s != status || m.cpu.R[x86.R8] != want || s != abi.Success && m.cpu.R[x86.RDX] != none {
			t.Errorf("TDG.VP.RD %#x: %v, RDX %#x, R8 %#x; want %v, %#x", id, s, m.cpu.R[x86.RDX], m.cpu.R[x86.R8], status, want)
		}
	}
	write := func(id, value, mask, old uint64, status abi.Status) {
		t.Helper()
		s := abi.Status(m.tdcall(regs{x86.RAX: vpWR, x86.RCX: 0, x86.RDX: id, x86.R8: value, x86.R9: mask}))
		if s != status || m.cpu.R[x86.R8] != old || m.cpu.R[x86.RDX] != id {
			t.Errorf("TDG.VP.WR %#x = %#x, mask %#x: %v, RDX %#x, R8 %#x; want %v, %#x", id, value, mask, s, m.cpu.R[x86.RDX], m.cpu.R[x86.R8], status, old)
		}
	}
	for _, id := range []uint64{vmcsTDVPS, 0x002400010000681E, exitReason, xbuff, vapic, 0x1020000300000000, 0xA220000300000200} {
		read(id, 0, abi.MetadataNotReadable)
		write(id, 0, none, 0, abi.MetadataNotWritable)
	}
	for _, id := range []uint64{vmcsTDVPS | 1, 0x0024000200004428, xbuff + 1, 0x2420000300000000, 0x2520000300000000, 0xA620000300000000, 0x3F20000300000000, index | 1<<55} {
		read(id, 0, wrongID)
		write(id, 0, none, 0, wrongID)
	}
	if s := abi.Status(m.tdcall(regs{x86.RAX: vpRD, x86.RCX: 1, x86.RDX: index})); s != operandRCX || m.cpu.R[x86.RDX] != none {
		t.Errorf("RCX 1: %v, RDX %#x", s, m.cpu.R[x86.RDX])
	}
	write(none, 0, none, 0, wrongID) // which only reading takes for the first
	write(index, 0, none, 0, abi.MetadataNotWritable)
	write(supervisorVE, 0x101, none, 0, abi.MetadataValueNotValid)
	write(supervisorVE, 0x40, 0xFF, 0, abi.Success)
	write(supervisorVE, 0, 0xF0, 0x40, abi.Success)
	write(l2Ctls+3, 8, 15, 0, abi.MetadataValueNotValid)
	write(l2Ctls+3, 7, 7, 0, abi.Success)
	write(deadline, 77, none, none, abi.Success)
	write(control+5, 1, 0xFF, 0, abi.Success)
	read(l2Ctls+3, 7, abi.Success)
	read(deadline, 77, abi.Success)
	read(control+5, 1, abi.Success)
}

// A guest has CPUID raise #VE by the leaf, for each privilege level, and TDG.VP.CPUIDVE.SET for all (module, td_cpuid.c).
func TestCPUIDVEByLeaf(t *testing.T) {
	const control, leaf7, leaf4sub1 = 0xA120000000000000, 5, 2
	for _, c := range []struct {
		leaf, subleaf uint64
		user, ve      bool
	}{{7, 0, false, true}, {7, 0, true, false}, {7, 1, false, false}, {4, 1, true, true}, {4, 1, false, false}, {4, 0, true, false}, {0, 0, false, false}} {
		m := newMachine(t)
		for i, value := range map[uint64]uint64{leaf7: 1, leaf4sub1: 2} {
			if s := abi.Status(m.tdcall(regs{x86.RAX: vpWR, x86.RCX: 0, x86.RDX: control + i, x86.R8: value, x86.R9: 3})); s != abi.Success {
				t.Fatal(s)
			}
		}
		run := m.run
		if c.user {
			run = m.runUser
		}
		o := run(regs{x86.RAX: c.leaf, x86.RCX: c.subleaf}, 0x0F, 0xA2)
		if ve := o.vector == x86.VectorVE; ve != c.ve {
			t.Errorf("leaf %d, subleaf %d, user %v: %+v, want #VE %v", c.leaf, c.subleaf, c.user, o, c.ve)
		}
	}
}

func TestSysRead(t *testing.T) {
	m := newMachine(t)
	ids, values := goThrough(t, m, sysRD)
	wantIDs := []uint64{0x0800000200000000, 0x0800000100000003, 0x0800000100000004, 0x0A00000200000000, 0x0A00000000000001, 0x0A00000300000008,
		0xA000000300000000, 0x2000000100000001, 0x2000000100000002, 0x2000000100000003, 0x2000000100000004, 0xA200000100000000}
	const features = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<7 | 1<<9 | 1<<10 | 1<<11 | 1<<16 | 1<<17 | 1<<18 | 1<<19
	want := []uint64{0x8086, 5, 1, 0, 1, features, 0, 0, 0, 0, 0, 0x807F}
	if !slices.Equal(ids, wantIDs) || !slices.Equal(values, want) {
		t.Errorf("%#x: %#x, want %#x: %#x", ids, values, wantIDs, want)
	}
	for _, f := range []struct {
		id   uint64
		want abi.Status
	}{{0x8800000200000001, abi.MetadataNotReadable}, {0x99000003000005FF, wrongID}, {0x990000030000053F, abi.MetadataNotReadable}, {0x0800000200000000 | 1<<34, wrongID}, {0x0870000200000000, abi.Success}} {
		if s := abi.Status(m.tdcall(regs{x86.RAX: sysRD, x86.RDX: f.id})); s != f.want {
			t.Errorf("TDG.SYS.RD of %#x: %v, want %v", f.id, s, f.want)
		}
	}

	const at = dataAt &^ 0xFFF
	if s := abi.Status(m.tdcall(regs{x86.RAX: sysRDALL, x86.RDX: at, x86.R8: none})); s != abi.Success || m.cpu.R[x86.R8] != none {
		t.Fatalf("TDG.SYS.RDALL: %v, R8 %#x", s, m.cpu.R[x86.R8])
	}
	list := make([]byte, 4096)
	if err := m.mem.Read(physical.Private, at, list); err != nil {
		t.Fatal(err)
	}
	// A header, then sequences: an identifier with how many fields more there are, and their values.
	le := binary.LittleEndian
	size, sequences := int(le.Uint16(list)), int(le.Uint16(list[2:]))
	var gotIDs, got []uint64
	n := 0
	for list = list[8:size]; len(list) > 0; n++ {
		id := le.Uint64(list)
		more := id >> 38 & 0x1FF
		for i := range more + 1 {
			gotIDs, got = append(gotIDs, id&^(0x1FF<<38)+i), append(got, le.Uint64(list[8+8*i:]))
		}
		list = list[16+8*more:]
	}
	if n != sequences || n != 8 || !slices.Equal(gotIDs, wantIDs) || !slices.Equal(got, want) {
		t.Errorf("%d of %d sequences: %#x, %#x", n, sequences, gotIDs, got)
	}
	for _, c := range []struct {
		page, from uint64
		want       abi.Status
		size       int // of the list
	}{
		{at + 8, none, 0xC000010000000002, 0},
		{m.SharedBit() | at, none, 0xC000010000000002, 0},
		{at, 0x0000000200000009, wrongID, 0},
		{at, 0x0000000300000000, wrongID, 0}, // by another size
		{at, 0x9900000300000501, wrongID, 0}, // in the middle of a field
		{at, 0xA200000100000000, abi.Success, 24},
		{at, 0x9900000300000502, abi.Success, 8 + 16 + 40 + 16},
	} {
		s := abi.Status(m.tdcall(regs{x86.RAX: sysRDALL, x86.RDX: c.page, x86.R8: c.from}))
		if s != c.want || m.cpu.R[x86.R8] != none {
			t.Errorf("from %#x to %#x: %v, R8 %#x; want %v", c.from, c.page, s, m.cpu.R[x86.R8], c.want)
		}
		if c.size > 0 && m.word(physical.Private, at)&0xFFFF != uint64(c.size) {
			t.Errorf("from %#x: %d bytes, want %d", c.from, m.word(physical.Private, at)&0xFFFF, c.size)
		}
	}
}
