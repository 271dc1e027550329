package tdx_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// What TDG.VM.RD and TDG.VM.WR answer for fields of each kind, as module 1.5.01 has it. Lines are those of
// src/common/metadata_handlers: metadata_generic.c (g) and metadata_td.c (td).
func TestMetadataFieldsLikeTheModule(t *testing.T) {
	const (
		success     = abi.Success
		incorrect   = abi.MetadataFieldIDIncorrect
		notReadable = abi.MetadataNotReadable
	)
	m := newMachine(t)
	for _, f := range []struct {
		what   string
		id     uint64
		status abi.Status
		source string
	}{
		{"TD_UUID", 0x8010000300000020, success, "tdr_tdcs_fields_lookup.c, 5"},
		{"TD_UUID, its last element", 0x8010000300000023, success, "g:235"},
		{"beyond its last element", 0x8010000300000024, incorrect, "g:677"},
		{"FATAL, which is the module's", 0x8010000000000001, notReadable, "td:618"},
		{"HKID", 0x8110000100000001, notReadable, "td:618"},
		{"EPTP", 0x1110000300000004, notReadable, "td:618"},
		{"VM_CTLS of the third L2 VM", 0x9110000300000015, notReadable, "td:618"},
		{"MRTD", 0x1310000300000000, success, "tdr_tdcs_fields_lookup.c, 35"},
		{"MROWNERCONFIG", 0x1310000300000025, success, "tdr_tdcs_fields_lookup.c, 38"},
		{"between measurements", 0x1310000300000006, incorrect, "g:677"},
		{"beyond the last RTMR", 0x1310000300000058, incorrect, "g:677"},
		{"SERVTD_HASH", 0x9910000300000000, success, "tdr_tdcs_fields_lookup.c, 74"},
		{"MIG_DEC_KEY", 0x9810000300000010, notReadable, "td:618"},
		{"SEPT_ROOT", 0x2110000300000000, notReadable, "td:618"},
		{"L2_SEPT_ROOT of an L2 VM that there is not", 0x2510000300000000, incorrect, "g:148"},
		{"a class that there is not", 0x3F10000300000000, incorrect, "g:677"},
		{"a code that there is not", 0x1110000300FFFFFF, incorrect, "g:677"},
		{"ATTRIBUTES as not architectural: the bit does not count", 0x9110000300000000, success, "g:238"},
		{"ATTRIBUTES of another context, which does not count", 0x1170000300000000, success, "tdg_vm_rd_wr.c:76"},
		{"ATTRIBUTES in another size, which does not count", 0x1110000000000000, success, "g:106"},
		{"CPUID leaf 1", 0x9410000300000300, notReadable, "td:618"},
		{"CPUID leaf 4, subleaf 2, second element", 0x9410000300000805, notReadable, "td:618"},
		{"CPUID leaf 6, which the module does not answer", 0x9410000300000D00, notReadable, "td:504"},
		{"CPUID leaf 6, subleaf 3, of which it has none", 0x9410000300000C06, notReadable, "td:504"},
		{"CPUID leaf 0xD, subleaf 0x12", 0x9410000300001A24, notReadable, "td:618"},
		{"CPUID leaf 0xD, subleaf 0x13", 0x9410000300001A26, incorrect, "td:495"},
		{"CPUID leaf 0x1F, subleaf 5, which the module does not answer", 0x9410000300003E0A, notReadable, "td:504"},
		{"CPUID leaf 0x1F, subleaf 6", 0x9410000300003E0C, incorrect, "td:495"},
		{"CPUID leaf 0x1F as if it had no subleaves", 0x9410000300003F00, incorrect, "helpers.c:1133"},
		{"CPUID leaf 0x80000008", 0x9410000300011100, notReadable, "td:618"},
		{"CPUID leaf 2, which the module does not know", 0x9410000300000500, incorrect, "td:495"},
		{"a reserved bit among CPUID's", 0x9410000300020300, incorrect, "td:485"},
	} {
		s := abi.Status(m.tdcall(regs{x86.RAX: 7, x86.RCX: 0, x86.RDX: f.id, x86.R8: 0x5555}))
		if s != f.status || s != success && m.cpu.R[x86.R8] != 0 {
			t.Errorf("TDG.VM.RD of %s (%#x): %v, R8 %#x; want %v (%s)", f.what, f.id, s, m.cpu.R[x86.R8], f.status, f.source)
		}
		want := f.status
		if want != incorrect && f.source != "td:504" { // which is asked for writing, too
			want = abi.MetadataNotWritable // td:722, which comes before any question of reading
		}
		if s := abi.Status(m.tdcall(regs{x86.RAX: 8, x86.RCX: 0, x86.RDX: f.id, x86.R8: 0, x86.R9: ^uint64(0)})); s != want {
			t.Errorf("TDG.VM.WR of %s (%#x): %v, want %v", f.what, f.id, s, want)
		}
	}
}
