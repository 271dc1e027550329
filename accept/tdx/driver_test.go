package tdx_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/tdx/abi"
)

var _ accept.Driver = (*tdx.Driver)(nil)

// Which pages the driver asks for, of a host and a module that are honest.
func TestSizes(t *testing.T) {
	small := func(m *module) {
		for at := uint64(0); at < 4*giB; at += 2 * miB {
			m.levels[at] = abi.Level4K
		}
	}
	large := func(m *module) { m.knows1G = true; m.levels[1*giB] = abi.Level1G; m.levels[2*giB] = abi.Level1G }
	for _, c := range []struct {
		name string
		r    accept.Range
		set  func(*module)
		no1G bool
		want string // sizes, and how many there are in a row
	}{
		{"a page", accept.Range{Start: 4 * kiB, End: 8 * kiB}, nil, false, "4K"},
		{"2 MiB", accept.Range{Start: 2 * miB, End: 4 * miB}, nil, false, "2M"},
		{"2 MiB that are not aligned", accept.Range{Start: 2*miB + 4*kiB, End: 4*miB + 4*kiB}, nil, false, "511×4K 4K"},
		{"ends that are not", accept.Range{Start: 2*miB - 4*kiB, End: 4*miB + 8*kiB}, nil, false, "4K 2M 2×4K"},
		{"less than 1 GiB", accept.Range{Start: 1 * giB, End: 2*giB - 2*miB}, large, false, "511×2M"},
		{"a module that does not know 1 GiB is asked once", accept.Range{Start: 1 * giB, End: 3 * giB}, nil, false, "1G 1024×2M"},
		{"or not at all", accept.Range{Start: 1 * giB, End: 3 * giB}, nil, true, "1024×2M"},
		{"one that does", accept.Range{Start: 1*giB - 2*miB, End: 3*giB + 4*kiB}, large, false, "2M 2×1G 4K"},
		{"and is not asked", accept.Range{Start: 1 * giB, End: 2 * giB}, large, true, "512×2M"},
		{"a host that maps 2 MiB where 1 GiB would be possible", accept.Range{Start: 1 * giB, End: 3 * giB},
			func(m *module) { large(m); delete(m.levels, 1*giB) }, false, "1G 512×2M 1G"},
		{"a host that maps 4 KiB", accept.Range{Start: 2 * miB, End: 6 * miB}, small, false, "2M 512×4K 2M 512×4K"},
		{"and does so in one place only", accept.Range{Start: 2 * miB, End: 8 * miB},
			func(m *module) { m.levels[4*miB] = abi.Level4K }, false, "2×2M 512×4K 2M"},
		{"nothing", accept.Range{Start: 2 * miB, End: 2 * miB}, nil, false, ""},
		{"less than nothing", accept.Range{Start: 4 * miB, End: 2 * miB}, nil, false, ""},
	} {
		m := newModule(t)
		if c.set != nil {
			c.set(m)
		}
		d := tdx.Driver{Instructions: m, No1G: c.no1G}
		if err := d.Accept(c.r); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := inRows(m.asked); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if !m.has(c.r) {
			t.Errorf("%s: not exactly %v is accepted", c.name, c.r)
		}
	}
}

// inRows tells of pages by their sizes, those that follow one another in one word.
func inRows(pages []page) string {
	var words []string
	for i := 0; i < len(pages); {
		n := i + 1
		for n < len(pages) && pages[n].level == pages[i].level && pages[n].gpa == pages[n-1].gpa+pages[i].level.Bytes() &&
			(pages[n].level != abi.Level4K || pages[n].gpa%(2*miB) != 0) {
			n++
		}
		if n-i > 1 {
			words = append(words, fmt.Sprintf("%d×%v", n-i, pages[i].level))
		} else {
			words = append(words, pages[i].level.String())
		}
		i = n
	}
	return strings.Join(words, " ")
}

// What the module can answer, at each size. Every answer that is not in the table is an error.
func TestStatuses(t *testing.T) {
	const busyAsked = 1000
	statuses := []abi.Status{
		abi.OperandInvalid.With(abi.OperandRCX), abi.OperandInvalid.With(abi.OperandRAX), abi.OperandBusy.With(abi.OperandRCX),
		abi.OperandBusyHostPriority.With(abi.OperandRCX), abi.PageAlreadyAccepted, abi.PageAlreadyAccepted.With(1),
		abi.PageAlreadyAccepted.With(2), abi.PageSizeMismatch, abi.PageSizeMismatch.With(1), abi.PageSizeMismatch.With(2),
		abi.EPTWalkFailed, abi.EPTEntryStateIncorrect, abi.NoValidVEInfo, abi.MetadataFieldIDIncorrect,
		1, 1 << 32, 1 << 63, 0x4000_0001_0000_0000, 0x6000_0002_0000_0000, 0x8000_0003_0000_0000, ^abi.Status(0),
	}
	for _, l := range []abi.Level{abi.Level4K, abi.Level2M, abi.Level1G} {
		r := accept.Range{Start: 4 * giB, End: 4*giB + l.Bytes()}
		for _, s := range statuses {
			m := newModule(t)
			asked := 0
			m.answer = func(p page) (abi.Status, bool) {
				if p != (page{r.Start, l}) {
					return 0, false
				}
				asked++
				return s, true
			}
			falls := l > abi.Level4K && s.Code() == abi.PageSizeMismatch || l == abi.Level1G && s.Code() == abi.OperandInvalid
			busy := s.Code() == abi.OperandBusy || s.Code() == abi.OperandBusyHostPriority
			d := tdx.Driver{Instructions: m}
			err := d.Accept(r)
			if falls {
				if err != nil || asked != 1 || !m.has(r) {
					t.Errorf("%v at %v: %v, asked %d times; want smaller pages", s, l, err, asked)
				}
				if want := s.Code() == abi.OperandInvalid; d.No1G != want {
					t.Errorf("%v at %v: No1G is %v", s, l, d.No1G)
				}
				continue
			}
			var e *tdx.Error
			if !errors.As(err, &e) || *e != (tdx.Error{GPA: r.Start, Leaf: abi.LeafMemPageAccept, Level: l, Status: s}) {
				t.Errorf("%v at %v: %v", s, l, err)
				continue
			}
			if want := map[bool]int{false: 1, true: busyAsked}[busy]; asked != want || len(m.asked) != asked || len(m.accepted) != 0 {
				t.Errorf("%v at %v: asked %d times, and %d in all; want %d", s, l, asked, len(m.asked), want)
			}
			if e.AlreadyAccepted() != (s.Code() == abi.PageAlreadyAccepted) {
				t.Errorf("%v at %v: AlreadyAccepted is %v", s, l, e.AlreadyAccepted())
			}
		}
	}
}

// A host at work on a page is waited for, for each page anew.
func TestBusy(t *testing.T) {
	for _, code := range []abi.Status{abi.OperandBusy, abi.OperandBusyHostPriority} {
		m := newModule(t)
		m.busy, m.busyCode = 999, code
		m.levels[2*miB] = abi.Level4K
		r := accept.Range{Start: 2 * miB, End: 6 * miB}
		d := tdx.Driver{Instructions: m}
		if err := d.Accept(r); err != nil || !m.has(r) {
			t.Errorf("%v: %v", code, err)
		}
	}
}

// A range that does not begin and end with pages never reaches the module, which would take it for a level.
func TestBadRange(t *testing.T) {
	for _, r := range []accept.Range{{Start: 2*miB + 1, End: 4 * miB}, {Start: 2 * miB, End: 4*miB + 2}} {
		m := newModule(t)
		d := tdx.Driver{Instructions: m}
		var e *tdx.Error
		if err := d.Accept(r); !errors.As(err, &e) || e.Status != abi.OperandInvalid.With(abi.OperandRCX) || len(m.asked) != 0 {
			t.Errorf("%v: %v, asked for %v", r, err, m.asked)
		}
	}
}

// Whatever the host maps, each page is accepted once, in as few calls as can be, and nothing else is. If one page has
// been accepted before, the driver finds it and goes no further.
func TestAgainstModel(t *testing.T) {
	random := random(t)
	for range 200 {
		m := newModule(t)
		m.knows1G = random.IntN(2) == 0
		base := (1 + random.Uint64N(4)) * giB
		for at := base - giB; at < base+2*giB; at += 2 * miB {
			if random.IntN(20) == 0 {
				m.levels[at] = abi.Level4K
			}
		}
		if m.knows1G && random.IntN(2) == 0 {
			m.levels[base] = abi.Level1G
		}
		start := base - random.Uint64N(3)*2*miB - random.Uint64N(3)*4*kiB
		r := accept.Range{Start: start, End: start + random.Uint64N(8)*2*miB + random.Uint64N(600)*4*kiB}
		if random.IntN(8) == 0 {
			r.End = base + giB + random.Uint64N(3)*4*kiB
		}
		var before uint64
		if cheated := random.IntN(3) == 0 && !r.Empty(); cheated {
			before = r.Start + random.Uint64N(r.Len()/4096)*4096
			size := m.mapped(before).Bytes()
			for at := before &^ (size - 1); at < before&^(size-1)+size; at += 4 * kiB {
				m.accepted[at] = true
			}
		}
		d := tdx.Driver{Instructions: m}
		err := d.Accept(r)
		if before == 0 {
			if err != nil || !m.has(r) {
				t.Fatalf("%v: %v; %s", r, err, inRows(m.asked))
			}
			continue
		}
		var e *tdx.Error
		if !errors.As(err, &e) || !e.AlreadyAccepted() || e.GPA > before || before >= e.GPA+max(e.Level, m.mapped(before)).Bytes() {
			t.Fatalf("%v with %#x accepted: %v", r, before, err)
		}
		if last := m.asked[len(m.asked)-1]; last.gpa != e.GPA || last.level != e.Level {
			t.Fatalf("%v: went on after %v, to %#x", r, err, last.gpa)
		}
	}
}

// Neither what succeeds nor what fails allocates: there may be no memory to allocate.
func TestNoAllocations(t *testing.T) {
	fixed := &fixedModule{}
	d := &tdx.Driver{Instructions: fixed, SharedBit: sharedBit}
	r := accept.Range{Start: 1*giB - 2*miB - 4*kiB, End: 2*giB + 4*kiB}
	for _, s := range []abi.Status{
		abi.Success, abi.PageSizeMismatch.With(1), abi.OperandInvalid.With(1), abi.OperandBusy.With(1), abi.PageAlreadyAccepted,
	} {
		fixed.status = s
		var err error
		if n := testing.AllocsPerRun(3, func() {
			d.No1G = false
			err = errors.Join() // nothing
			for _, f := range []func(accept.Range) error{d.Accept, d.MakeShared, d.MakePrivate} {
				if e := f(r); e != nil {
					err = e
				}
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", s, n)
		}
		if fails := s != abi.Success; fails != (err != nil) {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// A fixedModule answers with one status, and a host that does what it is asked.
type fixedModule struct{ status abi.Status }

func (m *fixedModule) TDCALL(r *tdx.Registers) {
	if abi.Leaf(r.RAX) == abi.LeafVPVMCall {
		r.RAX, r.R10 = 0, 0
		return
	}
	r.RAX = uint64(m.status)
}

// An error is good until the next call, and a copy lasts.
func TestErrorIsPartOfTheDriver(t *testing.T) {
	m := newModule(t)
	d := tdx.Driver{Instructions: m}
	r := accept.Range{Start: 2 * miB, End: 4 * miB}
	if err := d.Accept(r); err != nil {
		t.Fatal(err)
	}
	first := d.Accept(r)
	var e *tdx.Error
	if !errors.As(first, &e) {
		t.Fatal(first)
	}
	kept := *e
	if second := d.Accept(accept.Range{Start: 4 * kiB, End: 4*kiB + 1}); second != first || kept.GPA != r.Start || e.GPA != 4*kiB {
		t.Errorf("%v, %v, %v", second, e, &kept)
	}
}

func TestErrors(t *testing.T) {
	got := []string{
		(&tdx.Error{GPA: 0x200000, Leaf: abi.LeafMemPageAccept, Level: abi.Level2M, Status: abi.PageAlreadyAccepted.With(1)}).Error(),
		(&tdx.Error{GPA: 0x1000, Host: abi.VMCallInvalidOperand}).Error(),
		(&tdx.Error{GPA: 0x1000, Status: abi.OperandInvalid.With(abi.OperandRCX)}).Error(),
	}
	want := []string{
		"TDG.MEM.PAGE.ACCEPT of the 2M page at 0x200000: TDX_PAGE_ALREADY_ACCEPTED (0x00000b0a00000001)",
		"MapGPA at 0x1000: INVALID_OPERAND",
		"TDG.VP.VMCALL of the 4K page at 0x1000: TDX_OPERAND_INVALID (0xc000010000000001)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
