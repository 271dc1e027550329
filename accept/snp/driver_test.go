package snp_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/snp/abi"
)

var _ accept.Driver = (*snp.Driver)(nil)

// Before there is a GHCB the host is asked page by page, and the GHCB MSR is as before afterwards.
func TestEarly(t *testing.T) {
	p := newPlatform(t)
	d := p.driver()
	before := p.msr
	r := accept.Range{Start: 2*miB - 4*kiB, End: 4*miB + 4*kiB}
	if err := d.Accept(r); err != nil || !p.has(r, validated) {
		t.Fatal(err)
	}
	if p.requests != 514 || p.pvalidates != 514 || p.exits != 0 {
		t.Errorf("%d requests, %d PVALIDATE, %d exits", p.requests, p.pvalidates, p.exits)
	}
	if err := d.MakeShared(r); err != nil || !p.has(r, shared) {
		t.Fatal(err)
	}
	if err := d.MakePrivate(r); err != nil || !p.has(r, validated) {
		t.Fatal(err)
	}
	if p.msr != before {
		t.Errorf("the GHCB MSR is %#x, and was %#x", p.msr, before)
	}
}

// What the host can respond to a request for a page state change in the GHCB MSR.
func TestEarlyResponses(t *testing.T) {
	for _, c := range []struct {
		response uint64
		ok       bool
	}{
		{0x015, true},
		{0x015 | 5<<12, true}, // reserved, and ignored as Linux does
		{0x015 | 1<<32, false},
		{0x015 | 1<<63, false},
		{0x014, false},
		{0x000, false},
		{0x081, false},
		{^uint64(0), false},
	} {
		for _, share := range []bool{false, true} {
			p := newPlatform(t)
			d := p.driver()
			p.respond = func(uint64) (uint64, bool) { return c.response, true }
			before := p.msr
			r := accept.Range{Start: 4 * kiB, End: 8 * kiB}
			err := d.Accept(r)
			if share {
				p.pages[4*kiB] = validated
				err = d.MakeShared(r)
			}
			var e *snp.Error
			if c.ok != (err == nil) {
				t.Errorf("%#x: %v", c.response, err)
			} else if !c.ok && (!errors.As(err, &e) || *e != snp.Error{Cause: snp.Refused, GPA: 4 * kiB, Info1: c.response}) {
				t.Errorf("%#x: %v", c.response, err)
			}
			if p.msr != before {
				t.Errorf("%#x: the GHCB MSR is %#x", c.response, p.msr)
			}
		}
	}
}

// With a GHCB, what the host is asked for and how often.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name       string
		r          accept.Range
		small      []uint64
		exits      int
		entries    int
		pvalidates int
	}{
		{"a page", accept.Range{Start: 4 * kiB, End: 8 * kiB}, nil, 1, 1, 1},
		{"2 MiB", accept.Range{Start: 2 * miB, End: 4 * miB}, nil, 1, 1, 1},
		{"2 MiB that are not aligned", accept.Range{Start: 2*miB + 4*kiB, End: 4*miB + 4*kiB}, nil, 3, 512, 512},
		{"ends that are not", accept.Range{Start: 2*miB - 4*kiB, End: 4*miB + 8*kiB}, nil, 1, 4, 4},
		{"253 entries", accept.Range{Start: 2 * miB, End: 2*miB + 253*2*miB}, nil, 1, 253, 253},
		{"254", accept.Range{Start: 2 * miB, End: 2*miB + 254*2*miB}, nil, 2, 254, 254},
		{"a request that begins in the middle of 2 MiB", accept.Range{Start: 4*miB - 252*4*kiB, End: 6*miB + 4*kiB}, nil, 2, 254, 254},
		{"a host that maps 4 KiB", accept.Range{Start: 2 * miB, End: 8 * miB}, []uint64{4 * miB}, 1, 3, 3 + 512},
		{"nothing", accept.Range{Start: 2 * miB, End: 2 * miB}, nil, 0, 0, 0},
		{"less than nothing", accept.Range{Start: 4 * miB, End: 2 * miB}, nil, 0, 0, 0},
	} {
		p := newPlatform(t)
		d := p.withGHCB()
		for _, at := range c.small {
			p.small[at] = true
		}
		if err := d.Accept(c.r); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p.exits != c.exits || len(p.asked) != c.entries || p.pvalidates != c.pvalidates || p.requests != 0 {
			t.Errorf("%s: %d exits, %d entries, %d PVALIDATE; want %d, %d, %d", c.name, p.exits, len(p.asked), p.pvalidates, c.exits, c.entries, c.pvalidates)
		}
		if !p.has(c.r, validated) {
			t.Errorf("%s: not exactly %v is validated", c.name, c.r)
		}
		if err := d.MakeShared(c.r); err != nil || !p.has(c.r, shared) {
			t.Errorf("%s: %v, and not exactly %v is shared", c.name, err, c.r)
		}
	}
}

// What PVALIDATE can answer, at each size, both ways. Every answer that is not a success is an error.
func TestResults(t *testing.T) {
	results := []abi.Result{
		abi.Success, abi.FailInput, abi.FailPermission, abi.FailInUse, abi.FailOverlap, 5, abi.FailSizeMismatch, 7, 255, 1 << 31,
	}
	for _, size := range []abi.PageSize{abi.Size4K, abi.Size2M} {
		r := accept.Range{Start: 4 * miB, End: 4*miB + size.Bytes()}
		for _, result := range results {
			for _, cf := range []bool{false, true} {
				for _, share := range []bool{false, true} {
					p := newPlatform(t)
					d := p.withGHCB()
					if share {
						if err := d.Accept(r); err != nil {
							t.Fatal(err)
						}
					}
					asked := 0
					p.pvalidated = func(va uint64, s abi.PageSize) (abi.Result, bool, bool) {
						if va != directMap+r.Start || s != size {
							return 0, false, false
						}
						asked++
						return result, cf, result != abi.Success || cf
					}
					f, cause, want := d.Accept, snp.Validate, validated
					if share {
						f, cause, want = d.MakeShared, snp.Rescind, shared
					}
					err := f(r)
					switch {
					case result == abi.FailSizeMismatch && size == abi.Size2M:
						if err != nil || !p.has(r, want) || asked != 1 {
							t.Errorf("%v of %v: %v; want small pages", result, size, err)
						}
						continue
					case result == abi.Success && !cf:
						if err != nil {
							t.Errorf("%v of %v: %v", result, size, err)
						}
						continue
					}
					var e *snp.Error
					if !errors.As(err, &e) || *e != (snp.Error{
						Cause: cause, GPA: r.Start, Size: size, Result: result, Unchanged: cf && result == abi.Success,
					}) {
						t.Errorf("%v of %v, CF %v: %v", result, size, cf, err)
						continue
					}
					if e.AlreadyValidated() != (!share && result == abi.Success) || asked != 1 || share && p.count(r, shared) != 0 {
						t.Errorf("%v of %v, CF %v, share %v: asked %d times, already validated %v", result, size, cf, share, asked, e.AlreadyValidated())
					}
				}
			}
		}
	}
}

// A page among small ones that is validated already is found, and nothing after it is.
func TestAlreadyValidated(t *testing.T) {
	for _, early := range []bool{false, true} {
		p := newPlatform(t)
		d := p.driver()
		if !early {
			d = p.withGHCB()
		}
		r := accept.Range{Start: 2 * miB, End: 6 * miB}
		p.small[2*miB] = true
		p.pages[3*miB] = validated
		var e *snp.Error
		if err := d.Accept(r); !errors.As(err, &e) || !e.AlreadyValidated() || e.GPA != 3*miB || e.Size != abi.Size4K {
			t.Errorf("early %v: %v", early, err)
		}
		if n := p.count(r, validated); n != 257 {
			t.Errorf("early %v: %d pages are validated", early, n)
		}
	}
}

// A range that does not begin and end with pages is not begun.
func TestBadRange(t *testing.T) {
	for _, r := range []accept.Range{{Start: 2*miB + 1, End: 4 * miB}, {Start: 2 * miB, End: 4*miB + 2}} {
		p := newPlatform(t)
		d := p.withGHCB()
		for _, f := range []func(accept.Range) error{d.Accept, d.MakeShared} {
			var e *snp.Error
			if err := f(r); !errors.As(err, &e) || e.Cause != snp.BadRange || e.GPA != r.Start || p.exits+p.pvalidates != 0 {
				t.Errorf("%v: %v", r, err)
			}
		}
	}
}

func TestEvictCaches(t *testing.T) {
	for _, evict := range []bool{false, true} {
		p := newPlatform(t)
		d := p.withGHCB()
		d.EvictCaches = evict
		p.small[4*miB] = true
		r := accept.Range{Start: 2*miB - 4*kiB, End: 6 * miB}
		if err := d.Accept(r); err != nil {
			t.Fatal(err)
		}
		if err := d.MakeShared(accept.Range{Start: 2 * miB, End: 4 * miB}); err != nil {
			t.Fatal(err)
		}
		want := map[bool]int{false: 0, true: 1025}[evict]
		if len(p.evicted) != want {
			t.Errorf("%d pages were evicted from caches, want %d", len(p.evicted), want)
		}
		for at, n := range p.evicted {
			if n != 1 || at < r.Start || at >= r.End {
				t.Errorf("%#x was evicted %d times", at, n)
			}
		}
	}
}

func TestRegisterGHCB(t *testing.T) {
	for _, response := range []uint64{0x7012, 0x8013, 0x13, 0, 0xF_FFFF_FFFF_F013} {
		p := newPlatform(t)
		p.respond = func(uint64) (uint64, bool) { return response, true }
		d := p.driver()
		before := p.msr
		var e *snp.Error
		if err := d.RegisterGHCB(); !errors.As(err, &e) || *e != (snp.Error{Cause: snp.Unregistered, GPA: ghcbAt, Info1: response}) {
			t.Errorf("%#x: %v", response, err)
		}
		p.respond = nil
		if err := d.Accept(accept.Range{Start: 0, End: 4 * kiB}); err != nil || p.exits != 0 || p.requests != 2 || p.msr != before {
			t.Errorf("%#x: %v; a GHCB that is not registered was used, or the MSR is %#x", response, err, p.msr)
		}
	}
	p := newPlatform(t)
	if p.withGHCB(); p.msr != ghcbAt {
		t.Errorf("the GHCB MSR is %#x", p.msr)
	}
}

// Terminate never returns.
func TestTerminate(t *testing.T) {
	p := newPlatform(t)
	n := 0
	type enough struct{}
	p.respond = func(request uint64) (uint64, bool) {
		if want := uint64(0x2_1100); request != want {
			t.Errorf("%#x, want %#x", request, want)
		}
		if n++; n == 3 {
			panic(enough{})
		}
		return 0, true
	}
	defer func() {
		if _, ok := recover().(enough); !ok {
			t.Error("it returned")
		}
	}()
	snp.Terminate(p, abi.TerminateLinux, abi.TerminatePVALIDATE)
}

// Whatever the host maps and however little it does at a time, each page is validated once and nothing else is; and it
// goes back the same way.
func TestAgainstModel(t *testing.T) {
	random := random(t)
	for range 150 {
		p := newPlatform(t)
		d := p.driver()
		if random.IntN(4) > 0 {
			d = p.withGHCB()
			p.limit = []int{0, 1, 3, 511, 512, 700}[random.IntN(6)]
		}
		base := giB + random.Uint64N(3)*2*miB + random.Uint64N(2)*random.Uint64N(600)*4*kiB
		r := accept.Range{Start: base, End: base + random.Uint64N(4)*2*miB + random.Uint64N(600)*4*kiB}
		for at := uint64(giB); at < giB+20*miB; at += 2 * miB {
			p.small[at] = random.IntN(3) == 0
		}
		for n := random.IntN(3); n > 0 && !r.Empty(); n-- { // some of it has been shared
			p.pages[r.Start+random.Uint64N(r.Len()/4096)*4096] = shared
		}
		for range 2 {
			if err := d.Accept(r); err != nil || !p.has(r, validated) {
				t.Fatalf("%v: %v", r, err)
			}
			if !r.Empty() {
				at := r.Start + random.Uint64N(r.Len()/4096)*4096
				var e *snp.Error
				one := accept.Range{Start: at, End: at + 4096}
				if err := d.Accept(one); !errors.As(err, &e) || !e.AlreadyValidated() || e.GPA != at {
					t.Fatalf("%#x again: %v", at, err)
				}
			}
			if err := d.MakeShared(r); err != nil || !p.has(r, shared) {
				t.Fatalf("%v: %v", r, err)
			}
		}
	}
}

// Neither what succeeds nor what fails allocates: there may be no memory to allocate.
func TestNoAllocations(t *testing.T) {
	r := accept.Range{Start: 2*miB - 4*kiB, End: 64*miB + 4*kiB}
	for _, c := range []struct {
		name  string
		fixed fixedPlatform
		early bool
		fails bool
	}{
		{name: "success"},
		{name: "success, early", early: true},
		{name: "small pages", fixed: fixedPlatform{mismatch: true}},
		{name: "already validated", fixed: fixedPlatform{unchanged: true}, fails: true},
		{name: "refused", fixed: fixedPlatform{info2: uint64(abi.PSCGeneric)}, fails: true},
		{name: "stalled", fixed: fixedPlatform{stalls: true}, fails: true},
		{name: "refused, early", fixed: fixedPlatform{info2: 1}, early: true, fails: true},
	} {
		f := &c.fixed
		d := &snp.Driver{Instructions: f, GHCB: snp.GHCB{Page: &f.ghcb, GPA: ghcbAt}, EvictCaches: true}
		var err error
		if n := testing.AllocsPerRun(3, func() {
			err = nil
			if !c.early {
				info2 := f.info2
				f.info2 = 0
				if err = d.RegisterGHCB(); err != nil {
					t.Error(err)
				}
				f.info2 = info2
			}
			for _, g := range []func(accept.Range) error{d.Accept, d.MakeShared} {
				if e := g(r); e != nil {
					err = e
				}
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		if c.fails != (err != nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A fixedPlatform answers always the same.
type fixedPlatform struct {
	mismatch, unchanged, stalls bool

	info2 uint64
	msr   uint64
	ghcb  [abi.GHCBSize]byte
}

func (f *fixedPlatform) GHCBMSR() uint64     { return f.msr }
func (f *fixedPlatform) SetGHCBMSR(v uint64) { f.msr = v }
func (f *fixedPlatform) Evict(uint64)        {}

func (f *fixedPlatform) PVALIDATE(_ uint64, size abi.PageSize, _ bool) (abi.Result, bool) {
	if f.mismatch && size == abi.Size2M {
		return abi.FailSizeMismatch, false
	}
	return abi.Success, f.unchanged
}

func (f *fixedPlatform) VMGEXIT() {
	if f.msr&abi.CodeMask != 0 {
		if abi.Code(f.msr&abi.CodeMask) == abi.CodePSCRequest {
			f.msr = uint64(abi.CodePSCRequest) | f.info2<<32
		}
		f.msr++ // the response
		return
	}
	g := snp.GHCB{Page: &f.ghcb}
	g.Set(abi.GHCBSWExitInfo2, f.info2)
	if h := abi.PSCHeader(g.Get(abi.GHCBSharedBuffer)); !f.stalls {
		g.Page[abi.GHCBSharedBuffer] = byte(h.Last() + 1)
	}
}

// An error is good until the next call, and a copy lasts.
func TestErrorIsPartOfTheDriver(t *testing.T) {
	p := newPlatform(t)
	d := p.withGHCB()
	r := accept.Range{Start: 2 * miB, End: 4 * miB}
	if err := d.Accept(r); err != nil {
		t.Fatal(err)
	}
	first := d.Accept(r)
	var e *snp.Error
	if !errors.As(first, &e) {
		t.Fatal(first)
	}
	kept := *e
	if second := d.Accept(accept.Range{Start: 4 * kiB, End: 4*kiB + 1}); second != first || kept.GPA != r.Start || e.GPA != 4*kiB {
		t.Errorf("%v, %v, %v", second, e, &kept)
	}
}

func TestErrors(t *testing.T) {
	var got []string
	for _, e := range []snp.Error{
		{Cause: snp.Validate, GPA: 0x200000, Size: abi.Size2M, Unchanged: true},
		{Cause: snp.Rescind, GPA: 0x1000, Result: abi.FailSizeMismatch},
		{Cause: snp.Refused, GPA: 0x1000, Info1: 1, Info2: 2},
		{Cause: snp.Inconsistent, GPA: 0x1000, Header: 0x1_0000_0005_0000},
		{Cause: snp.Stalled, GPA: 0x1000},
		{Cause: snp.Unregistered, GPA: 0x7000, Info1: 0x13},
		{Cause: snp.BadRange, GPA: 0x1001},
	} {
		got = append(got, e.Error())
	}
	want := []string{
		"PVALIDATE of the 2M page at 0x200000: SUCCESS, CF: it was so before",
		"PVALIDATE, rescind, of the 4K page at 0x1000: FAIL_SIZEMISMATCH",
		"page state change at 0x1000: refused: 0x1, 0x2",
		"page state change at 0x1000: the host left a structure that cannot be: header 0x1000000050000",
		"page state change at 0x1000: the host does not get on",
		"registration of the GHCB at 0x7000: refused: 0x13",
		"the range at 0x1001 does not begin and end with pages",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
