package rom

import (
	"encoding/binary"
	"slices"
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
		if err := check([]Piece{own, p}, own.Range, ram); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", p.Range, err)
		}
	}
	if _, err := (&Image{bytes: imageOf(1<<20, 0)}).SNP(ram); err == nil || !strings.Contains(err.Error(), "no metadata of SEV-SNP") {
		t.Errorf("an image without metadata: %v", err)
	}
}

// The same of a TD (OvmfPkg/ResetVector/X64/IntelTdxMetadata.asm): the two volumes, memory for the beginning, and hand-off blocks that
// tell of all RAM once, as accepted where a piece is.
func TestTDX(t *testing.T) {
	ram := physical.RAM(5 << 30)
	o := ovmf(t)
	pieces, hob, err := o.TDX(ram)
	if err != nil {
		t.Fatal(err)
	}
	if len(pieces) != 6 || hob != 0x80_9000 {
		t.Fatalf("%d pieces, and hand-off blocks at %#x", len(pieces), hob)
	}
	code := pieces[5]
	if code.Range != (accept.Range{Start: 1<<32 - 0x37C000, End: 1 << 32}) || &code.Content[len(code.Content)-1] != &o.bytes[len(o.bytes)-1] {
		t.Errorf("the boot volume is at %v", code.Range)
	}
	le := binary.LittleEndian
	var told []accept.Range
	accepted := uint64(0)
	b := pieces[1].Content
	if pieces[1].Start != hob {
		t.Fatalf("the second piece is at %v", pieces[1].Range)
	}
	for at := 0; ; at += int(le.Uint16(b[at+2:])) {
		switch kind := le.Uint16(b[at:]); kind {
		case hobHandOff:
			if end := le.Uint64(b[at+48:]); end != hob+uint64(len(b))-hobEndSize {
				t.Errorf("the end is at %#x", end)
			}
			continue
		case hobResource:
			r := accept.Range{Start: le.Uint64(b[at+32:]), End: le.Uint64(b[at+32:]) + le.Uint64(b[at+40:])}
			if n := len(told); n > 0 && told[n-1].End == r.Start {
				told[n-1].End = r.End
			} else {
				told = append(told, r)
			}
			if le.Uint32(b[at+24:]) == memoryAccepted {
				accepted += r.Len()
			}
			continue
		case hobEnd:
		default:
			t.Errorf("a block of kind %d", kind)
		}
		break
	}
	if !slices.Equal(told, ram) || accepted != 0xF000+0x2000+0x2000+0x6000 {
		t.Errorf("they tell of %v, %#x bytes of it accepted; want %v", told, accepted, ram)
	}
}
