package abi_test

import (
	"testing"

	"github.com/tacit-vm/tacit/snp/abi"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{abi.ExitPageNotValidated.String(), "PAGE_NOT_VALIDATED"},
		{abi.EventPSC.String(), "SNP Page State Change"},
		{abi.ExitCode(0x999).String(), "0x999"},
		{abi.CodePSCRequest.String(), "MSR: SNP Page State Change"},
		{abi.CodePSC.String(), "MSR: undefined"},
		{abi.MissingInput.String(), "MISSING_INPUT"},
		{abi.InputError(77).String(), "77"},
		{abi.FailSizeMismatch.String(), "FAIL_SIZEMISMATCH"},
		{abi.Result(5).String(), "5"},
		{abi.PSCGeneric.String(), "GENERIC"},
		{abi.PSCError(0).String(), "0x0"},
		{abi.Size2M.String(), "2M"},
		{abi.TerminationReason(abi.TerminateLinux, abi.TerminatePVALIDATE), "PVALIDATE failed"},
		{abi.TerminationReason(abi.TerminateGHCB, 3), ""},
		{abi.TerminationReason(2, 0), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// Requests as Linux makes them (arch/x86/include/asm/sev-common.h).
func TestMSRProtocol(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want uint64
	}{
		{"CPUID 0x8000001F EBX", abi.CPUIDRequest(0x8000_001F, 1), 0x8000_001F_4000_0004},
		{"its response", abi.CPUIDResponse(0x33, 1), 0x33_4000_0005},
		{"page to private", abi.PSCRequest(0x1234_5000, abi.PSCPrivate), 0x0010_0000_1234_5014},
		{"page to shared", abi.PSCRequest(0xF_FFFF_FFFF_F000, abi.PSCShared), 0x002F_FFFF_FFFF_F014},
		{"an error", abi.ResponseError(7<<32 | uint64(abi.CodePSC)), 7},
		{"termination", abi.TerminateRequest(abi.TerminateLinux, abi.TerminatePVALIDATE), 0x2_1100},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#x, want %#x", c.what, c.got, c.want)
		}
	}
	if leaf, register := abi.CPUIDRequested(abi.CPUIDRequest(0xB, 3)); leaf != 0xB || register != 3 {
		t.Errorf("CPUID: leaf %#x, register %d", leaf, register)
	}
	if gpa, op := abi.PSCRequested(abi.PSCRequest(0x1000, abi.PSCShared)); gpa != 0x1000 || op != abi.PSCShared {
		t.Errorf("page state change: %#x, operation %d", gpa, op)
	}
	if set, reason := abi.TerminateRequested(abi.TerminateRequest(1, 12)); set != 1 || reason != 12 {
		t.Errorf("termination: %d:%d", set, reason)
	}
	if set, reason := abi.TerminateEvent(2<<4 | 1); set != 1 || reason != 2 {
		t.Errorf("termination by event: %d:%d", set, reason)
	}
}

func TestPageStateChange(t *testing.T) {
	if abi.PSCHeaderSize+abi.PSCMaxEntries*abi.PSCEntrySize != abi.GHCBSharedBufferSize {
		t.Error("the entries do not fill the shared buffer")
	}
	h := abi.PSCHeaderOf(3, 252)
	if h != 0x00FC_0003 || h.Current() != 3 || h.Last() != 252 || h.Reserved() != 0 || (h|1<<63).Reserved() != 1<<31 {
		t.Errorf("header %#x", uint64(h))
	}
	e := abi.PSCEntryOf(0x4020_0000, abi.Size2M, abi.PSCPrivate)
	if e != 1<<56|1<<52|0x4020_0000 || e.GPA() != 0x4020_0000 || e.Size() != abi.Size2M || e.Operation() != abi.PSCPrivate || e.Done() != 0 {
		t.Errorf("entry %#x", uint64(e))
	}
	e = abi.PSCEntryOf(0x5000, abi.Size4K, abi.PSCShared) | 1
	if e != 2<<52|0x5001 || e.GPA() != 0x5000 || e.Size() != abi.Size4K || e.Operation() != abi.PSCShared || e.Done() != 1 {
		t.Errorf("entry %#x", uint64(e))
	}
	if abi.Size4K.Bytes() != 4<<10 || abi.Size2M.Bytes() != 2<<20 {
		t.Error("page sizes are wrong")
	}
}
