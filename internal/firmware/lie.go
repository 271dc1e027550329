package firmware

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// A Lie is how firmware deceives what it starts. It changes what is told, in memory maps, tables and statuses, and never
// firmware's own books. docs/attacks.md has what becomes of each.
type Lie string

// Kinds of lies. The empty one is the truth.
const (
	LieOverlap    Lie = "overlap"
	LieWrap       Lie = "wrap"
	LieStride     Lie = "stride"
	LieStrideHuge Lie = "stride-huge"
	LieImage      Lie = "image"
	LieAccepted   Lie = "accepted"
	LieUnaccepted Lie = "unaccepted"
	LieTable      Lie = "table"
	LieStale      Lie = "stale"
	LieKey        Lie = "key"
)

// Lies lists every kind with what firmware says, in the order in which documents show them.
func Lies() []struct {
	Kind    Lie
	Meaning string
} {
	return slices.Clone(lies)
}

var lies = []struct {
	Kind    Lie
	Meaning string
}{
	{LieOverlap, "a second descriptor calls memory unaccepted that another calls free"},
	{LieWrap, "an unaccepted descriptor begins below the last address and ends above the first"},
	{LieStride, "descriptors are 24 bytes apart, less than one has"},
	{LieStrideHuge, "descriptors are 1 TiB apart"},
	{LieImage, "the memory of the running image is unaccepted"},
	{LieAccepted, "memory that firmware has accepted is unaccepted"},
	{LieUnaccepted, "memory that has not been accepted is free"},
	{LieTable, "a table of unaccepted memory of version 7 is installed"},
	{LieStale, "a table is installed that marks accepted memory as unaccepted"},
	{LieKey, "the key of ExitBootServices is wrong, whatever it is"},
}

// ParseLie reads a kind of lie.
func ParseLie(text string) (Lie, error) {
	if l := Lie(text); l.known() {
		return l, nil
	}
	var kinds []string
	for _, known := range lies {
		kinds = append(kinds, string(known.Kind))
	}
	return "", fmt.Errorf("firmware lie %q: there are %s", text, strings.Join(kinds, ", "))
}

func (l Lie) known() bool {
	for _, known := range lies {
		if known.Kind == l {
			return true
		}
	}
	return false
}

// A Told is what firmware has told of its lie.
type Told struct {
	Times int          // memory maps, tables and refusals
	About accept.Range // the memory that it was about, the last time; empty where it is about none
}

// Told returns what has been told of Config.Lie.
func (f *Firmware) Told() Told { return f.told }

// lieSize is how much memory a lie is about: enough for a system to leave it for later, where it could (accept.Split).
const lieSize = shortest

// victim is accepted memory that a lie is about: in the middle of the largest free region, so that firmware's own
// allocations, from the top, do not come near it. It is chosen once.
func (f *Firmware) victim() accept.Range {
	if !f.lieAbout.Empty() {
		return f.lieAbout
	}
	var largest region
	for _, g := range f.memory.regions {
		if g.kind == uefi.ConventionalMemory && g.end-g.start > largest.end-largest.start {
			largest = g
		}
	}
	all := accept.Range{Start: largest.start, End: largest.end}.AlignIn(accept.UnitSize)
	if all.Len() > lieSize {
		all.Start += (all.Len() - lieSize) / 2 &^ (accept.UnitSize - 1)
		all.End = all.Start + lieSize
	}
	f.lieAbout = all
	return all
}

// mapToTell returns the regions that GetMemoryMap tells of, how far it says that descriptors are apart, and what of the
// regions is a lie.
func (f *Firmware) mapToTell() (regions []region, size uint64, lie Told) {
	regions, size = f.memory.regions, descriptorSize
	about := accept.Range{}
	change := func(r accept.Range, kind uefi.MemoryType) {
		if m := (memoryMap{regions: slices.Clone(regions)}); m.set(r, kind) {
			regions, about = m.regions, r
		}
	}
	add := func(r accept.Range, end uint64) {
		regions, about = append(slices.Clone(regions), region{r.Start, end, uefi.UnacceptedMemory}), r
	}
	switch f.cfg.Lie {
	case LieOverlap:
		add(f.victim(), f.victim().End)
	case LieWrap:
		// Up to the last page, as far as a range can say it, and 16 MiB more.
		add(accept.Range{Start: noLimit &^ (lieSize - 1), End: noLimit &^ pageMask}, 16<<20)
	case LieImage:
		change(f.Image(), uefi.UnacceptedMemory)
	case LieAccepted:
		change(f.victim(), uefi.UnacceptedMemory)
	case LieUnaccepted:
		for _, g := range slices.Backward(regions) {
			if g.kind == uefi.UnacceptedMemory {
				change(accept.Range{Start: max(g.start, g.end-lieSize), End: g.end}, uefi.ConventionalMemory)
				break
			}
		}
	case LieStride:
		return regions, 24, Told{}
	case LieStrideHuge:
		return regions, 1 << 40, Told{}
	}
	if !about.Empty() {
		lie = Told{1, about}
	}
	return regions, size, lie
}

// tell notes that a lie has been told.
func (f *Firmware) tell(lie Told) {
	if lie.Times > 0 {
		f.told = Told{f.told.Times + lie.Times, lie.About}
	}
}
