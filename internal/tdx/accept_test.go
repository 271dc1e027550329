package tdx_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

const (
	mismatch    abi.Status = 0xC0000B0B00000001
	already4K   abi.Status = 0x00000B0A00000000
	already2M   abi.Status = 0x00000B0A00000001
	operandRCX  abi.Status = 0xC000010000000001
	operandRAX  abi.Status = 0xC000010000000000
	size2M                 = 2 << 20
	unit                   = 4 << 20 // the first one that has not been accepted, and a neighbour
	anotherUnit            = 6 << 20
)

func TestPageAcceptStatus(t *testing.T) {
	m := newMachine(t)
	for _, test := range []struct {
		what string
		rcx  uint64
		want abi.Status
	}{
		{"4 KiB of a page that is absent", unit + 0x3000, abi.Success},
		{"the same again", unit + 0x3000, already4K},
		{"2 MiB where the host has mapped 4 KiB", unit | 1, mismatch},
		{"another 4 KiB there", unit + 0x4000, abi.Success},
		{"2 MiB", anotherUnit | 1, abi.Success},
		{"the same again", anotherUnit | 1, already2M},
		{"4 KiB of it", anotherUnit + 0x5000, already2M},
		{"1 GiB", 0 | 2, operandRCX},
		{"level 3", 0 | 3, operandRCX},
		{"2 MiB, not aligned", 8<<20 + 0x1000 | 1, operandRCX},
		{"4 KiB, a reserved bit set", 8<<20 | 8, operandRCX},
		{"4 KiB, another one", 8<<20 | 0x800, operandRCX},
		{"a shared address", 1<<47 | 8<<20, operandRCX},
		{"above the guest's physical addresses", 1<<48 | 8<<20, operandRCX},
		{"above all physical addresses", 1<<60 | 8<<20, operandRCX},
	} {
		if got := abi.Status(m.tdcall(regs{x86.RAX: 6, x86.RCX: test.rcx})); got != test.want {
			t.Errorf("%s: %v, want %v", test.what, got, test.want)
		}
	}
}

func TestPageAcceptWithSmallHostPages(t *testing.T) {
	m := newMachine(t, with4KPages)
	if s := m.accept(unit, 1); s != mismatch {
		t.Errorf("2 MiB: %v, want %v", s, mismatch)
	}
	for gpa := uint64(unit); gpa < unit+size2M; gpa += 4096 {
		if s := m.accept(gpa, 0); s != abi.Success {
			t.Fatalf("4 KiB at %#x: %v", gpa, s)
		}
	}
}

func TestPageAcceptOfNoMemoryEndsTheMachine(t *testing.T) {
	m := newMachine(t)
	o := m.run(regs{x86.RAX: 6, x86.RCX: holeStart}, 0x66, 0x0F, 0x01, 0xCC)
	m.wantViolation(o, confidential.Violation{GPA: holeStart, Access: x86.Write, RIP: codeAt, State: "no memory"})
}

func TestAcceptedPageIsZero(t *testing.T) {
	m := newMachine(t)
	// The host writes to the pending page, and to one that it has not even added.
	if err := m.AddPage(m.cpu, unit, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	m.write(unit+0x10, 0xBAD)
	m.write(anotherUnit+0x10, 0xBAD)
	for _, gpa := range []uint64{unit, anotherUnit} {
		if s := m.accept(gpa, 1); s != abi.Success {
			t.Fatal(s)
		}
		if m.run(regs{x86.RDX: gpa + 0x10}, load...); m.cpu.R[x86.RAX] != 0 {
			t.Errorf("the accepted page at %#x holds %#x", gpa, m.cpu.R[x86.RAX])
		}
	}
}

// TDCALL leaves every register alone that is no output.
func TestPageAcceptChangesRAXOnly(t *testing.T) {
	m := newMachine(t)
	r := regs{}
	for i := range 16 {
		r[i] = 0x1111_1111_1111_1111 * uint64(i)
	}
	r[x86.RAX], r[x86.RCX] = 6, unit|1
	m.tdcall(r)
	r[x86.RAX], r[x86.RSP] = 0, stackAt
	for i, want := range r {
		if m.cpu.R[i] != want {
			t.Errorf("register %d is %#x, want %#x", i, m.cpu.R[i], want)
		}
	}
}

func TestAcceptRange(t *testing.T) {
	for _, small := range []bool{false, true} {
		var options []option
		if small {
			options = append(options, with4KPages)
		}
		m := newMachine(t, options...)
		before := m.Unaccepted()
		r := accept.Range{Start: unit - 0x3000, End: unit + 2*size2M + 0x2000}
		if err := m.AcceptRange(m.cpu, r); err != nil {
			t.Fatal(err)
		}
		if got := m.Unaccepted(); got != before-r.Len() {
			t.Errorf("small %v: unaccepted %d, want %d", small, got, before-r.Len())
		}
		var e *tdx.StatusError
		if err := m.AcceptRange(m.cpu, accept.Range{Start: unit, End: unit + size2M}); !errors.As(err, &e) || e.Status&^1 != already4K {
			t.Errorf("small %v: accepting twice: %v", small, err)
		}
	}
}

func TestAcceptIsRecorded(t *testing.T) {
	m := newMachine(t)
	m.log.Mark(record.Marked{Phase: record.StubEntry})
	m.log.Mark(record.Marked{Phase: record.KernelEntry})
	m.accept(unit, 1)
	m.accept(anotherUnit, 0)
	m.accept(anotherUnit, 0)
	a := m.log.Record().Acceptance.By
	if a.Firmware.Bytes != low || a.Firmware.Operations != 1 {
		t.Errorf("firmware accepted %+v", a.Firmware)
	}
	if a.Kernel.Bytes != size2M+4096 || a.Kernel.Operations != 2 {
		t.Errorf("kernel accepted %+v", a.Kernel)
	}
}

// model is the state machine page by page, written down a second time.
type model struct {
	state [1 << 15]modelPage // the first 128 MiB
}

type modelPage struct {
	present, accepted, shared, small bool
}

// accept is TDG.MEM.PAGE.ACCEPT, with what the honest host does on the way.
func (md *model) accept(page uint64, large, hostLarge bool) abi.Status {
	unit := md.state[page&^511:][:512]
	p := &md.state[page]
	switch {
	case large && p.small:
		return mismatch
	case p.accepted && !p.small:
		return already2M
	case p.accepted:
		return already4K
	}
	if !p.present {
		p.shared = false
		sharedUnit := slices.ContainsFunc(unit, func(q modelPage) bool { return q.shared })
		if large && hostLarge && !sharedUnit {
			each(unit, func(q *modelPage) { q.present = true })
		} else {
			each(unit, func(q *modelPage) { q.small = true })
			p.present = true
		}
	} else if !large && !p.small {
		each(unit, func(q *modelPage) { q.small = true }) // the host splits a pending page
	}
	switch {
	case large && p.small:
		return mismatch
	case large:
		each(unit, func(q *modelPage) { q.accepted = true })
	default:
		p.accepted = true
	}
	return abi.Success
}

func each(pages []modelPage, f func(*modelPage)) {
	for i := range pages {
		f(&pages[i])
	}
}

func (md *model) convert(first, end uint64, toShared bool) {
	for _, edge := range []uint64{first, end} {
		if q := &md.state[edge]; toShared && edge%512 != 0 && q.present && !q.small {
			each(md.state[edge&^511:][:512], func(q *modelPage) { q.small = true })
		}
	}
	for i := first; i < end; i++ {
		p := &md.state[i]
		p.shared = toShared
		if toShared {
			p.present, p.accepted = false, false
		}
	}
}

func (md *model) unaccepted() uint64 {
	n := uint64(0)
	for i, p := range md.state {
		gpa := uint64(i) << 12
		if ram := gpa < holeStart || gpa >= holeEnd; ram && !p.accepted && !p.shared {
			n += 4096
		}
	}
	return n
}

func (md *model) name(page uint64) string {
	switch p := md.state[page]; {
	case p.accepted:
		return "accepted"
	case p.present:
		return "pending"
	case p.shared:
		return "shared"
	}
	return "absent"
}

func TestStatesAgreeWithAModel(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	for _, hostLarge := range []bool{true, false} {
		r := rand.New(rand.NewPCG(seed, 0))
		var options []option
		if !hostLarge {
			options = append(options, with4KPages)
		}
		m := newMachine(t, options...)
		md := &model{}
		for i := range 512 { // what firmware accepted
			md.state[i] = modelPage{present: true, accepted: true, small: !hostLarge}
		}
		const firstPage, pages = 16 << 20 >> 12, 8 * 512 // the guest plays with 16 MiB, the last of them next to the hole
		for step := range 3000 {
			page := firstPage + r.Uint64N(pages)
			switch r.IntN(4) {
			case 0, 1:
				large := r.IntN(3) == 0
				gpa, level := page<<12, uint64(0)
				if large {
					page &^= 511
					gpa, level = page<<12, 1
				}
				got, want := m.accept(gpa, level), md.accept(page, large, hostLarge)
				if got != want {
					t.Fatalf("step %d: accepting %#x, level %d: %v, want %v", step, gpa, level, got, want)
				}
			default:
				n := min(r.Uint64N(700)+1, firstPage+pages-page)
				if r.IntN(2) == 0 {
					n = min(n, 3)
				}
				toShared := r.IntN(3) != 0
				gpa := page << 12
				if toShared {
					gpa |= m.SharedBit()
				}
				if s, _ := m.vmcall(0x10001, regs{x86.R12: gpa, x86.R13: n << 12}); s != 0 {
					t.Fatalf("step %d: MapGPA %#x+%#x: %#x", step, gpa, n<<12, s)
				}
				md.convert(page, page+n, toShared)
			}
			for range 20 {
				p := firstPage + r.Uint64N(pages)
				if got, want := m.State(p<<12), md.name(p); got != want {
					t.Fatalf("step %d: page %#x is %s, want %s", step, p<<12, got, want)
				}
			}
			if got, want := m.Unaccepted(), md.unaccepted(); got != want {
				t.Fatalf("step %d: unaccepted %#x, want %#x", step, got, want)
			}
		}
	}
}

// lazyHost claims to have resolved faults and has not, once it is lazy.
type lazyHost struct {
	*host.Host
	lazy bool
}

func (h *lazyHost) Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
	if h.lazy {
		return nil
	}
	return h.Host.Fault(c, gpa, p, size)
}

func TestHostThatDoesNothingEndsTheMachine(t *testing.T) {
	for what, code := range map[string][]byte{"load": load, "accept": {0x66, 0x0F, 0x01, 0xCC}} {
		var lazy *lazyHost
		m := newMachine(t, withHost(func(h *host.Host) tdx.Host { lazy = &lazyHost{Host: h}; return lazy }))
		lazy.lazy = true
		o := m.run(regs{x86.RDX: unit, x86.RAX: 6, x86.RCX: unit}, code...)
		var e *confidential.HostError
		if !errors.As(o.err, &e) || e.GPA != unit {
			t.Errorf("%s: outcome %+v, want the host's error", what, o)
		}
	}
}

// fickleHost adds 2 MiB where 4 KiB are asked for, and takes them away when it is asked again.
type fickleHost struct {
	*host.Host
	m *machine
}

func (h *fickleHost) Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
	switch {
	case h.m == nil:
		return h.Host.Fault(c, gpa, p, size)
	case h.m.State(gpa) == "absent":
		return h.m.AddPage(c, gpa, physical.Size2M)
	}
	return h.m.RemovePages(c, gpa, gpa+2<<20)
}

func TestHostThatChangesItsMindEndsTheMachine(t *testing.T) {
	var fickle *fickleHost
	m := newMachine(t, withHost(func(h *host.Host) tdx.Host { fickle = &fickleHost{Host: h}; return fickle }))
	fickle.m = m
	o := m.run(regs{x86.RAX: 6, x86.RCX: unit}, 0x66, 0x0F, 0x01, 0xCC)
	var e *confidential.HostError
	if !errors.As(o.err, &e) || e.GPA != unit {
		t.Errorf("outcome %+v, want the host's error", o)
	}
}
