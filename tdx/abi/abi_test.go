package abi_test

import (
	"testing"

	"github.com/tacit-vm/tacit/tdx/abi"
)

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		s             abi.Status
		code          abi.Status
		details       uint64
		name, printed string
	}{
		{0, abi.Success, 0, "TDX_SUCCESS", "TDX_SUCCESS"},
		{0xC000_0100_0000_0001, abi.OperandInvalid, abi.OperandRCX, "TDX_OPERAND_INVALID", "TDX_OPERAND_INVALID (0xc000010000000001)"},
		{0x8000_0204_0000_0001, abi.OperandBusyHostPriority, abi.OperandRCX, "TDX_OPERAND_BUSY_HOST_PRIORITY",
			"TDX_OPERAND_BUSY_HOST_PRIORITY (0x8000020400000001)"},
		{0x0000_0B0A_0000_0001, abi.PageAlreadyAccepted, uint64(abi.Level2M), "TDX_PAGE_ALREADY_ACCEPTED",
			"TDX_PAGE_ALREADY_ACCEPTED (0x00000b0a00000001)"},
		{0xDEAD_0000_0000_0007, 0xDEAD_0000_0000_0000, 7, "0xdead000000000000", "0xdead000000000000 (0xdead000000000007)"},
		{5, 0, 5, "TDX_SUCCESS", "TDX_SUCCESS (0x0000000000000005)"},
	} {
		if c.s.Code() != c.code || c.s.Details() != c.details || c.s.Name() != c.name || c.s.String() != c.printed {
			t.Errorf("%#x: code %#x, details %d, %q, %q", uint64(c.s), uint64(c.s.Code()), c.s.Details(), c.s.Name(), c.s)
		}
	}
	if s := abi.OperandInvalid.With(abi.OperandR8); s != 0xC000_0100_0000_0008 {
		t.Errorf("OperandInvalid with R8: %v", s)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{abi.LeafMemPageAccept.String(), "MEM.PAGE.ACCEPT"},
		{abi.Leaf(13).String(), "undefined"},
		{abi.LeafVPEnter.String(), "VP.ENTER"},
		{abi.Leaf(28).String(), "undefined"},
		{abi.VMCallMapGPA.String(), "MapGPA"},
		{abi.VMCall(11).String(), "undefined"},
		{abi.VMCallRetry.String(), "RETRY"},
		{abi.VMCallStatus(7).String(), "0x7"},
		{abi.VMCallStatus(7).Name(), ""},
		{abi.ReasonEPTViolation.String(), "EPT_VIOLATION"},
		{abi.ExitReason(0).String(), "0x0"},
		{abi.Level1G.String(), "1G"},
		{abi.Level(3).String(), "0x3"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestOperands(t *testing.T) {
	const r12, r13, r14, r15 = 1 << 12, 1 << 13, 1 << 14, 1 << 15
	for call, want := range map[abi.VMCall][2]uint64{ // reading, writing
		abi.VMCallHLT: {r12, r12}, abi.VMCallWRMSR: {r12 | r13, r12 | r13},
		abi.VMCallMMIO: {r12 | r13 | r14, r12 | r13 | r14 | r15}, abi.VMCallIO: {r12 | r13 | r14, r12 | r13 | r14 | r15},
		abi.VMCallReportFatalError: {abi.VMCallMask, abi.VMCallMask}, 0x12345: {abi.VMCallMask, abi.VMCallMask},
	} {
		for direction, registers := range want {
			if got := call.Operands(uint64(direction)); got != registers {
				t.Errorf("%v, direction %d: %#x, want %#x", call, direction, got, registers)
			}
		}
	}
}

func TestLevels(t *testing.T) {
	for l, want := range map[abi.Level]uint64{abi.Level4K: 4 << 10, abi.Level2M: 2 << 20, abi.Level1G: 1 << 30} {
		if l.Bytes() != want {
			t.Errorf("%v has %#x bytes", l, l.Bytes())
		}
	}
	if v := abi.PageInfo(0x4000_0000, abi.Level2M); v != 0x4000_0001 || v&abi.PageInfoLevel != uint64(abi.Level2M) {
		t.Errorf("PageInfo: %#x", v)
	}
	if abi.SharedBit(48) != 1<<47 || abi.SharedBit(52) != 1<<51 {
		t.Error("the shared bit is not the topmost")
	}
}

// The identifiers that Linux passes (arch/x86/include/asm/shared/tdx.h), and what the module takes them for.
func TestFields(t *testing.T) {
	for _, c := range []struct {
		f       abi.Field
		nonArch bool
		code    uint32
	}{
		{abi.FieldConfigFlags, false, 0x16},
		{abi.FieldTDCtls, false, 0x17},
		{abi.FieldNotifyEnables, true, 0x10},
		{abi.FieldTopologyEnumConfigured, true, 0x19},
	} {
		if c.f.NonArch() != c.nonArch || c.f.Class() != 0x11 || c.f.Code() != c.code || !c.f.Single() {
			t.Errorf("%#x: %v, class %#x, code %#x, single %v", uint64(c.f), c.f.NonArch(), c.f.Class(), c.f.Code(), c.f.Single())
		}
	}
	for _, f := range []abi.Field{1 << 24, 1 << 34, 1 << 38, 1 << 47, 1 << 55, 1 << 62} {
		if f.Single() {
			t.Errorf("%#x is taken", uint64(f))
		}
	}
}

// Identifiers that say what is asked of all fields, and of which context they are.
func TestFieldsOfContexts(t *testing.T) {
	f := abi.FieldTDCtls.In(abi.ContextVP)
	if f != 0x1120_0003_0000_0017 || f.In(abi.ContextTD) != abi.FieldTDCtls || f.SizeCode() != 3 || f.IsNone() {
		t.Errorf("%#x, of size %d", uint64(f), f.SizeCode())
	}
	if !abi.NoField.IsNone() || !abi.NoField.In(abi.ContextSys).IsNone() || (abi.NoField &^ 1).IsNone() {
		t.Error("what names no field is not known, or something else is taken for it")
	}
}

func TestVEInfo(t *testing.T) {
	want := abi.VEInfo{Reason: abi.ReasonIO, Qualification: 0x3F8<<abi.IOPort | abi.IOIn, GLA: 1, GPA: 2, InstructionLength: 3, InstructionInfo: 4}
	if got := abi.VEInfoOf(want.Registers()); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, _, _, _, r10 := want.Registers(); r10 != 4<<32|3 {
		t.Errorf("R10 is %#x", r10)
	}
}

func TestIsTD(t *testing.T) {
	leaf := [4]uint32{1: 0x6574_6E49, 2: 0x2020_2020, 3: 0x5844_546C}
	if !abi.IsTD(leaf[1], leaf[2], leaf[3]) || abi.IsTD(leaf[1], leaf[3], leaf[2]) || abi.IsTD(0, 0, 0) {
		t.Error("a TD is not told from other machines")
	}
}
