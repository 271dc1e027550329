package rom

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/physical"
)

const kernels = "../../kernels"

func ovmf(t testing.TB) *Image {
	t.Helper()
	i, err := Parse(debiantest.File(t, kernels, "ovmf_*.deb", "usr/share/ovmf/OVMF.fd"))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Debian's OVMF wants what its sources say (OvmfPkg/OvmfPkgX64.fdf, FD.MEMFD): page tables and the like from 8 MiB on without the
// page for the GHCB, which is to be shared; secrets, CPUID; and itself.
func TestSNP(t *testing.T) {
	pieces, err := ovmf(t).SNP(physical.RAM(4 << 30))
	if err != nil {
		t.Fatal(err)
	}
	const start = 0x80_0000
	type where struct {
		start, end uint64
		kind       PieceKind
	}
	want := []where{
		{start, start + 0x9000, Contents}, {start + 0xA000, start + 0xD000, Contents}, {start + 0xD000, start + 0xE000, Secrets},
		{start + 0xE000, start + 0xF000, CPUID}, {start + 0xF000, start + 0x10000, Contents}, {start + 0x10000, start + 0x20000, Contents},
		{1<<32 - 4<<20, 1 << 32, Contents},
	}
	if len(pieces) != len(want) {
		t.Fatalf("%d pieces, want %d: %v", len(pieces), len(want), pieces)
	}
	for i, p := range pieces {
		if (where{p.Start, p.End, p.Kind}) != want[i] {
			t.Errorf("piece %d is at %v of kind %d, want %+v", i, p.Range, p.Kind, want[i])
		}
	}
}

// Metadata may be anybody's.
func TestPiecesThatCannotBe(t *testing.T) {
	own := Piece{Range: accept.Range{Start: 1<<32 - 1<<20, End: 1 << 32}}
	ram := physical.RAM(1 << 30)
	for want, p := range map[string]Piece{
		"whole pages":           {Range: accept.Range{Start: 0x1000, End: 0x1800}},
		"not of whole pages":    {Range: accept.Range{Start: 0x1000, End: 0x3000}, Kind: Secrets},
		"there is no memory":    {Range: accept.Range{Start: 1<<30 - 0x1000, End: 1<<30 + 0x1000}},
		"where there is anothe": {Range: own.Range},
		"which is not":          {Range: accept.Range{Start: 0x2000, End: 0x1000}},
	} {
		if err := check([]Piece{own, p}, ram); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", p.Range, err)
		}
	}
	if _, err := (&Image{bytes: imageOf(1<<20, 0)}).SNP(ram); err == nil || !strings.Contains(err.Error(), "no metadata of SEV-SNP") {
		t.Errorf("an image without metadata: %v", err)
	}
}
