package snp_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	guest "github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A processor executes what a guest's driver asks it to, on the test machine.
type processor struct{ *machine }

// An end is how a machine ended in the middle of a driver's call.
type end struct{ outcome }

func (p processor) execute(r regs, code ...byte) {
	if o := p.run(r, code...); o.vector != done || o.err != nil {
		panic(end{o})
	}
}

func (p processor) PVALIDATE(va uint64, size abi.PageSize, validate bool) (abi.Result, bool) {
	r := regs{x86.RAX: va, x86.RCX: uint64(size), x86.RDX: 0}
	if validate {
		r[x86.RDX] = 1
	}
	p.execute(r, insnPVALIDATE...)
	return abi.Result(p.cpu.R[x86.RAX]), p.cpu.Flags()&x86.FlagCF != 0
}

func (p processor) Evict(va uint64) {
	p.execute(regs{x86.RAX: va}, insnLoad...)
	p.execute(regs{x86.RAX: va + 4096 - 8}, insnLoad...)
}

func (p processor) GHCBMSR() uint64 {
	p.execute(regs{x86.RCX: abi.MSRGHCB}, 0x0F, 0x32) // RDMSR
	return p.cpu.R[x86.RAX] | p.cpu.R[x86.RDX]<<32
}

func (p processor) SetGHCBMSR(v uint64) {
	p.execute(regs{x86.RCX: abi.MSRGHCB, x86.RAX: v & 0xFFFF_FFFF, x86.RDX: v >> 32}, 0x0F, 0x30) // WRMSR
}

func (p processor) VMGEXIT() { p.execute(nil, insnVMGEXIT...) }

// driver is a driver inside the machine's guest, which has no GHCB yet.
func (m *machine) driver() *guest.Driver {
	return &guest.Driver{Instructions: processor{m}, EvictCaches: true}
}

// driverWithGHCB is one that has made a GHCB of a page, by its own means.
func (m *machine) driverWithGHCB() *guest.Driver {
	m.t.Helper()
	d := m.driver()
	page := accept.Range{Start: ghcbAt, End: ghcbAt + abi.GHCBSize}
	for _, f := range []func(accept.Range) error{d.Accept, d.MakeShared} {
		if err := f(page); err != nil {
			m.t.Fatal(err)
		}
	}
	ghcb{m}.wipe()
	d.GHCB = guest.GHCB{Page: (*[abi.GHCBSize]byte)(m.mem.Page(mem.FrameOf(physical.Shared, ghcbAt))), GPA: ghcbAt}
	if err := d.RegisterGHCB(); err != nil {
		m.t.Fatal(err)
	}
	return d
}

// ends calls f and returns how the machine ended in it, or f's error.
func ends(f func() error) (o outcome, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case end:
			o = e.outcome
		default:
			panic(e)
		}
	}()
	return outcome{}, f()
}

// allIn says whether all pages of r are in a state.
func (m *machine) allIn(r accept.Range, state string) bool {
	for at := r.Start; at < r.End; at += mem.PageSize {
		if m.State(at) != state {
			return false
		}
	}
	return true
}

const guestUnit = 8 << 20 // after the GHCB

// A guest's driver and the platform agree about what is validated, whatever the host maps and however little it does at
// a time; and about a page that is validated already.
func TestGuestDriver(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, c := range []struct {
		name    string
		options []option
		early   bool
	}{
		{name: "2 MiB host pages"},
		{name: "4 KiB host pages", options: []option{with4KPages}},
		{name: "a host that does little at a time", options: []option{withConvertLimit(100 * 4096)}},
		{name: "no GHCB", early: true},
		{name: "no GHCB, 4 KiB host pages", options: []option{with4KPages}, early: true},
	} {
		for range 3 {
			m := newMachine(t, c.options...)
			d := m.driver()
			if !c.early {
				d = m.driverWithGHCB()
			}
			start := guestUnit + random.Uint64N(4)<<21 + random.Uint64N(2)*random.Uint64N(512)*mem.PageSize
			r := accept.Range{Start: start, End: start + random.Uint64N(3)<<21 + (1+random.Uint64N(512))*mem.PageSize}
			if random.IntN(2) == 0 { // the host has assigned one small page
				if err := m.AddPage(m.cpu, r.Start, physical.Size4K); err != nil {
					t.Fatal(err)
				}
			}
			before := m.Unaccepted()
			if err := d.Accept(r); err != nil {
				t.Fatalf("%s: %v: %v", c.name, r, err)
			}
			if !m.allIn(r, "validated") || m.Unaccepted() != before-r.Len() {
				t.Fatalf("%s: not exactly %v is validated", c.name, r)
			}
			var e *guest.Error
			if err := d.Accept(r); !errors.As(err, &e) || !e.AlreadyValidated() || e.GPA != r.Start {
				t.Fatalf("%s: %v again: %v", c.name, r, err)
			}
			if err := d.MakeShared(r); err != nil || !m.allIn(r, "shared") {
				t.Fatalf("%s: %v shared: %v", c.name, r, err)
			}
			if err := d.MakePrivate(r); err != nil || !m.allIn(r, "validated") {
				t.Fatalf("%s: %v private again: %v", c.name, r, err)
			}
		}
	}
}

func TestGuestDriverOutsideOfMemory(t *testing.T) {
	m := newMachine(t)
	d := m.driverWithGHCB()
	var e *guest.Error
	err := d.Accept(accept.Range{Start: holeStart - 2<<20, End: holeStart + 2<<20})
	if !errors.As(err, &e) || e.Cause != guest.Refused || abi.PSCError(e.Info2) != abi.PSCGeneric || e.GPA != holeStart-2<<20 {
		t.Errorf("with a GHCB: %v", err)
	}
	err = m.driver().Accept(accept.Range{Start: holeStart - 4096, End: holeStart + 4096})
	if !errors.As(err, &e) || e.Cause != guest.Refused || e.GPA != holeStart || m.State(holeStart-4096) != "validated" {
		t.Errorf("without: %v", err)
	}
}

// Rescinding what is not validated, and validating what the page tables say is shared.
func TestGuestDriverMistakes(t *testing.T) {
	m := newMachine(t)
	d := m.driverWithGHCB()
	var e *guest.Error
	if err := d.MakeShared(accept.Range{Start: guestUnit, End: guestUnit + 2<<20}); !errors.As(err, &e) || e.Cause != guest.Rescind || !e.Unchanged {
		t.Errorf("sharing what is not validated: %v", err)
	}
	d.DirectMap = sharedVA
	o, err := ends(func() error { return d.Accept(accept.Range{Start: 2 * guestUnit, End: 2*guestUnit + 4096}) })
	var v *confidential.Violation
	if err != nil || !errors.As(o.err, &v) || v.Instruction != abi.PVALIDATE {
		t.Errorf("validating through a shared mapping: %v, %+v", err, o)
	}
}

// The exits that a #VC handler forwards, by the guest's GHCB.
func TestGuestExits(t *testing.T) {
	m := newMachine(t)
	d := m.driverWithGHCB()
	g, x := d.GHCB, d.Instructions
	if v, r := g.CPUID(x, 0x8000_001F, 0, 0); !r.OK() || v[0] != abi.CPUIDSEV|abi.CPUIDSEVES|abi.CPUIDSEVSNP || v[1]&abi.CPUIDCBit != 51 {
		t.Errorf("CPUID: %#x, %+v", v, r)
	}
	if v, r := g.CPUID(x, 0xD, 0, 3); !r.OK() || v[0] != 3 {
		t.Errorf("CPUID of leaf 0xD: %#x, %+v", v, r)
	}
	const hwcr, index = 0xC001_0015, 0x2FF
	if v, r := g.RDMSR(x, hwcr); !r.OK() || v != 1<<24 {
		t.Errorf("RDMSR: %#x, %+v", v, r)
	}
	if r := g.WRMSR(x, index, 0xC06); !r.OK() {
		t.Errorf("WRMSR: %+v", r)
	}
	if v, r := g.RDMSR(x, index); !r.OK() || v != 0xC06 {
		t.Errorf("RDMSR of what was written: %#x, %+v", v, r)
	}
	r := g.WRMSR(x, 0x1234_5678, 0)
	if vector, code, ok := r.Exception(); r.OK() || !ok || vector != vectorGP || code != 0 {
		t.Errorf("WRMSR of no register: %+v", r)
	}
	if v, r := g.In(x, 0x1234, 1); !r.OK() || v != 0xFF {
		t.Errorf("IN: %#x, %+v", v, r)
	}
	if r := g.Out(x, 0x1234, 4, 0x1122_3344); !r.OK() {
		t.Errorf("OUT: %+v", r)
	}
	g.Clear()
	if r := g.Exit(x, abi.EventFeatures, 0, 0); !r.OK() || r.Info2&abi.FeatureSNP == 0 {
		t.Errorf("features: %+v", r)
	}
	g.Clear()
	if r := g.Exit(x, 0x8000_4444, 0, 0); r.OK() || r.Response() != abi.MalformedInput || abi.InputError(r.Info2) != abi.InvalidEvent {
		t.Errorf("no event: %+v", r)
	}
}

func TestGuestTerminates(t *testing.T) {
	m := newMachine(t)
	o, _ := ends(func() error {
		guest.Terminate(processor{m}, abi.TerminateLinux, abi.TerminateNotVMPL0)
		return nil
	})
	var e *snp.Termination
	if !errors.As(o.err, &e) || e.Set != 1 || e.Reason != 3 {
		t.Errorf("%+v", o)
	}
}

// An honestAtFirst host lets a guest make its GHCB before it cheats.
type honestAtFirst struct{ snp.Host }

// Hosts that attack while a driver works: what it takes for validated is, but for what the host has taken away since; and
// where that shows, the guest gets an exception or ends, and never reads what the host wants.
func TestGuestDriverWithCheatingHosts(t *testing.T) {
	const mark = 0x0101_0101_0101_0101 * uint64(host.Mark)
	for _, a := range host.Attacks() {
		attacked := 0
		for _, small := range []bool{false, true} {
			for n := uint64(1); n <= 3; n++ {
				name := fmt.Sprintf("%s, small %v", host.Attack{Kind: a.Kind, N: n}, small)
				h := &honestAtFirst{}
				m := newMachine(t, func(c *snp.Config, hc *host.Config, _ *host.SNPConfig) {
					if small {
						hc.PageSize = physical.Size4K
					}
					h.Host, c.Host = c.Host, h
				})
				d := m.driverWithGHCB()
				cheat := host.CheatSNP(m.host, m.mem, host.Attack{Kind: a.Kind, N: n})
				cheat.Serve(m.Platform)
				h.Host = cheat
				r := accept.Range{Start: guestUnit - 0x3000, End: guestUnit + 1<<21}
				o, err := ends(func() error {
					if err := d.Accept(r); err != nil {
						return err
					}
					for at := r.Start; at < r.Start+0x8000; at += mem.PageSize {
						d.Instructions.(processor).execute(regs{x86.RAX: at, x86.RBX: 0x600D}, insnStore...)
					}
					d.GHCB.RDMSR(d.Instructions, 0x10) // an exit, on which contents that have changed are put back
					if err := d.MakeShared(r); err != nil {
						return err
					}
					return d.MakePrivate(r)
				})
				attacked += len(cheat.Report().Steps)
				if err != nil || o.err != nil || o.vector != 0 {
					// The guest knows. It has to be the host's doing.
					if len(cheat.Report().Steps) == 0 {
						t.Errorf("%s: %v, %+v, and the host was honest", name, err, o)
					}
					continue
				}
				for at := r.Start; at < r.End; at += mem.PageSize {
					state := m.State(at)
					o := m.run(regs{x86.RAX: at, x86.RBX: 0}, insnLoad...)
					switch {
					case state == "validated" && (o.vector != done || o.err != nil || m.cpu.R[x86.RBX] == mark):
						t.Errorf("%s: the guest reads %#x at %#x: %+v", name, m.cpu.R[x86.RBX], at, o)
					case state != "validated" && o.vector != vectorVC && o.err == nil:
						t.Errorf("%s: the guest may touch %#x, which is %s: %+v", name, at, state, o)
					case state != "validated" && len(cheat.Report().Steps) == 0:
						t.Errorf("%s: %#x is lost, and the host was honest", name, at)
					}
					if o.err != nil {
						break
					}
				}
			}
		}
		if attacked == 0 {
			t.Errorf("%s: the host was honest", a.Kind)
		}
	}
}
