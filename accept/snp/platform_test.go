package snp_test

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/snp/abi"
)

const (
	kiB = 1 << 10
	miB = 1 << 20
	giB = 1 << 30

	directMap = 0xFFFF_8880_0000_0000
	ghcbAt    = 0x7000
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

func random(t *testing.T) *rand.Rand {
	t.Logf("go test ./accept/snp -run '^%s$' -seed %d", t.Name(), *seed)
	return rand.New(rand.NewPCG(*seed, 0))
}

// A state is what a page is: not in the map it is private and not validated, as memory is before its first use.
type state uint8

const (
	unvalidated state = iota
	validated
	shared
)

// A platform does what the processor does, by the rules of the RMP, and is the host. It keeps 4 KiB pages.
type platform struct {
	t     *testing.T
	pages map[uint64]state
	small map[uint64]bool // 2 MiB pages that the RMP has as 512

	ghcb    [abi.GHCBSize]byte
	msr     uint64
	evicted map[uint64]int

	// What the host is like.
	limit      int                                             // 4 KiB pages at a time, of a request in the GHCB; 0 is all
	respond    func(request uint64) (response uint64, ok bool) // a cheat in the GHCB MSR
	afterPSC   func(p *platform)                               // a cheat in the GHCB: what it does to what it has written
	exit       func(p *platform, code abi.ExitCode)            // answers other exits
	pvalidated func(va uint64, size abi.PageSize) (abi.Result, bool, bool)

	exits, requests int      // in the GHCB, and in its MSR
	asked           []uint64 // entries of page state changes, as they came
	pvalidates      int
}

func newPlatform(t *testing.T) *platform {
	return &platform{t: t, pages: map[uint64]state{}, small: map[uint64]bool{}, evicted: map[uint64]int{}, msr: 0x5555_0000}
}

// driver returns a driver that has no GHCB yet.
func (p *platform) driver() *snp.Driver {
	return &snp.Driver{Instructions: p, DirectMap: directMap, GHCB: snp.GHCB{Page: &p.ghcb, GPA: ghcbAt}}
}

// withGHCB returns one that has.
func (p *platform) withGHCB() *snp.Driver {
	p.t.Helper()
	d := p.driver()
	if err := d.RegisterGHCB(); err != nil {
		p.t.Fatal(err)
	}
	for i := range p.ghcb {
		p.ghcb[i] = 0xA5 // what was there before
	}
	p.requests = 0
	return d
}

func (p *platform) GHCBMSR() uint64     { return p.msr }
func (p *platform) SetGHCBMSR(v uint64) { p.msr = v }
func (p *platform) Evict(va uint64)     { p.evicted[va-directMap]++ }

func (p *platform) PVALIDATE(va uint64, size abi.PageSize, validate bool) (abi.Result, bool) {
	p.pvalidates++
	if p.pvalidated != nil {
		if r, cf, ok := p.pvalidated(va, size); ok {
			return r, cf
		}
	}
	gpa := va - directMap
	if gpa%size.Bytes() != 0 || size > abi.Size2M {
		return abi.FailInput, true // CF means nothing here
	}
	base := gpa &^ (2*miB - 1)
	switch {
	case size == abi.Size2M && p.small[base]:
		return abi.FailSizeMismatch, true
	case size == abi.Size4K:
		p.small[base] = true // a nested page fault, on which the host splits the page
	}
	from, to := unvalidated, validated
	if !validate {
		from, to = to, from
	}
	for at := gpa; at < gpa+size.Bytes(); at += 4 * kiB {
		switch p.pages[at] {
		case shared:
			p.t.Fatalf("PVALIDATE of %#x, which is shared, faults for ever", at)
		case to:
			return abi.Success, true
		case from:
			p.pages[at] = to
		}
	}
	return abi.Success, false
}

func (p *platform) VMGEXIT() {
	if p.msr&abi.CodeMask != 0 {
		p.requests++
		p.msr = p.response(p.msr)
		return
	}
	if p.msr != ghcbAt {
		p.t.Fatalf("VMGEXIT with the GHCB at %#x", p.msr)
	}
	p.exits++
	if v := binary.LittleEndian.Uint64(p.ghcb[0xFF8:]); v != 2<<16 {
		p.t.Errorf("protocol version and usage are %#x", v)
	}
	for _, at := range []int{abi.GHCBSWExitCode, abi.GHCBSWExitInfo1, abi.GHCBSWExitInfo2} {
		if !p.valid(at) {
			p.t.Errorf("field %#x is not valid", at)
		}
	}
	code := abi.ExitCode(p.get(abi.GHCBSWExitCode))
	if code != abi.EventPSC {
		p.exit(p, code)
		return
	}
	if !p.valid(abi.GHCBSWScratch) || p.get(abi.GHCBSWScratch) != ghcbAt+abi.GHCBSharedBuffer || p.valids() != 4 {
		p.t.Errorf("SW_SCRATCH is %#x, %d fields are valid", p.get(abi.GHCBSWScratch), p.valids())
	}
	p.pageStateChange()
	if p.afterPSC != nil {
		p.afterPSC(p)
	}
}

func (p *platform) response(request uint64) uint64 {
	if p.respond != nil {
		if v, ok := p.respond(request); ok {
			return v
		}
	}
	switch abi.Code(request & abi.CodeMask) {
	case abi.CodePSCRequest:
		gpa, op := abi.PSCRequested(request)
		p.change(gpa, op)
		return uint64(abi.CodePSC)
	case abi.CodeRegisterRequest:
		return request + 1
	}
	p.t.Errorf("request %#x", request)
	return request
}

// change makes a 4 KiB page private or shared.
func (p *platform) change(gpa uint64, op abi.PSCOperation) {
	switch s := p.pages[gpa]; op {
	case abi.PSCPrivate:
		if s == shared {
			p.pages[gpa] = unvalidated
		}
	case abi.PSCShared:
		if s == validated {
			p.t.Errorf("%#x becomes shared while it is validated", gpa)
		}
		p.pages[gpa] = shared
	default:
		p.t.Errorf("operation %d", op)
	}
}

// pageStateChange works on the structure in the shared buffer up to the limit.
func (p *platform) pageStateChange() {
	h := abi.PSCHeader(p.get(abi.GHCBSharedBuffer))
	if h.Reserved() != 0 || h.Last() >= abi.PSCMaxEntries {
		p.t.Errorf("header %#x", uint64(h))
	}
	budget := p.limit
	for n := h.Current(); n <= h.Last(); n++ {
		e := abi.PSCEntry(p.get(entryAt(n)))
		if e.GPA()%e.Size().Bytes() != 0 || uint64(e)>>57 != 0 {
			p.t.Errorf("entry %#x", uint64(e))
		}
		if e.Done() == 0 {
			p.asked = append(p.asked, uint64(e))
		}
		for e.Done() < e.Size().Bytes()/4096 {
			if p.limit > 0 && budget == 0 {
				p.reply(0, 0)
				return
			}
			budget--
			p.change(e.GPA()+e.Done()*4096, e.Operation())
			e++
			p.put(entryAt(n), uint64(e))
		}
		p.put(abi.GHCBSharedBuffer, uint64(abi.PSCHeaderOf(n+1, h.Last())))
	}
	p.reply(0, 0)
}

func entryAt(n int) int { return abi.GHCBSharedBuffer + 8 + 8*n }

func (p *platform) get(at int) uint64    { return binary.LittleEndian.Uint64(p.ghcb[at:]) }
func (p *platform) put(at int, v uint64) { binary.LittleEndian.PutUint64(p.ghcb[at:], v) }
func (p *platform) valid(at int) bool    { return p.ghcb[0x3F0+at/64]>>(at/8%8)&1 != 0 }

// valids returns how many fields are valid.
func (p *platform) valids() (n int) {
	for at := 0; at < abi.GHCBX87StateGPA; at += 8 {
		if p.valid(at) {
			n++
		}
	}
	return n
}

// set stores a field as the host does.
func (p *platform) set(at int, v uint64) {
	p.put(at, v)
	p.ghcb[0x3F0+at/64] |= 1 << (at / 8 % 8)
}

func (p *platform) reply(info1, info2 uint64) {
	clear(p.ghcb[0x3F0:0x400])
	p.set(abi.GHCBSWExitInfo1, info1)
	p.set(abi.GHCBSWExitInfo2, info2)
}

// count says how many 4 KiB pages of r are in state s.
func (p *platform) count(r accept.Range, s state) (n uint64) {
	for at := r.Start; at < r.End; at += 4 * kiB {
		if p.pages[at] == s {
			n++
		}
	}
	return n
}

// has says whether exactly the pages of r are in state s.
func (p *platform) has(r accept.Range, s state) bool {
	n := uint64(0)
	for _, is := range p.pages {
		if is == s {
			n++
		}
	}
	return p.count(r, s) == r.Len()/4096 && n == r.Len()/4096
}
