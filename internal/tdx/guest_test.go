package tdx_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	guest "github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A processor executes what a guest's driver asks it to, on the test machine.
type processor struct{ *machine }

// An end is how a machine ended in the middle of a driver's call.
type end struct{ outcome }

func (p processor) TDCALL(r *guest.Registers) {
	o := p.run(regs{
		x86.RAX: r.RAX, x86.RCX: r.RCX, x86.RDX: r.RDX, x86.RBX: r.RBX, x86.RSI: r.RSI, x86.RDI: r.RDI,
		x86.R8: r.R8, x86.R9: r.R9, x86.R10: r.R10, x86.R11: r.R11, x86.R12: r.R12, x86.R13: r.R13, x86.R14: r.R14, x86.R15: r.R15,
	}, 0x66, 0x0F, 0x01, 0xCC)
	if o.vector != done || o.err != nil {
		panic(end{o})
	}
	c := p.cpu
	*r = guest.Registers{
		RAX: c.R[x86.RAX], RCX: c.R[x86.RCX], RDX: c.R[x86.RDX], RBX: c.R[x86.RBX], RSI: c.R[x86.RSI], RDI: c.R[x86.RDI],
		R8: c.R[x86.R8], R9: c.R[x86.R9], R10: c.R[x86.R10], R11: c.R[x86.R11], R12: c.R[x86.R12], R13: c.R[x86.R13],
		R14: c.R[x86.R14], R15: c.R[x86.R15],
	}
}

// driver is a driver inside the machine's guest.
func (m *machine) driver() *guest.Driver {
	return &guest.Driver{Instructions: processor{m}, SharedBit: m.SharedBit()}
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

// A guest's driver and the module agree about what is accepted, whatever the host maps; and about a page that is
// accepted already.
func TestGuestDriver(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, c := range []struct {
		name    string
		options []option
	}{
		{"2 MiB host pages", nil},
		{"4 KiB host pages", []option{with4KPages}},
		{"52 bits of address", []option{withGPAW52}},
	} {
		for range 5 {
			m := newMachine(t, c.options...)
			d := m.driver()
			start := low + random.Uint64N(4)*size2M + random.Uint64N(2)*random.Uint64N(512)*mem.PageSize
			r := accept.Range{Start: start, End: start + (1+random.Uint64N(3))*size2M + random.Uint64N(512)*mem.PageSize}
			if random.IntN(2) == 0 { // the host has mapped one small page
				if err := m.AddPage(m.cpu, r.Start, physical.Size4K); err != nil {
					t.Fatal(err)
				}
			}
			before := m.Unaccepted()
			if err := d.Accept(r); err != nil {
				t.Fatalf("%s: %v: %v", c.name, r, err)
			}
			if !m.allIn(r, "accepted") || m.Unaccepted() != before-r.Len() {
				t.Fatalf("%s: not exactly %v is accepted", c.name, r)
			}
			var e *guest.Error
			if err := d.Accept(r); !errors.As(err, &e) || !e.AlreadyAccepted() || e.GPA != r.Start {
				t.Fatalf("%s: %v again: %v", c.name, r, err)
			}
			if err := d.MakeShared(r); err != nil || !m.allIn(r, "shared") {
				t.Fatalf("%s: %v shared: %v", c.name, r, err)
			}
			if err := d.MakePrivate(r); err != nil || !m.allIn(r, "accepted") {
				t.Fatalf("%s: %v private again: %v", c.name, r, err)
			}
		}
	}
}

// withMemory gives the machine so much memory, without a hole.
func withMemory(t *testing.T, size uint64) option {
	return func(c *tdx.Config, h *host.Config) {
		large, err := mem.New(size)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = large.Close() })
		c.Memory = large
		c.RAM = []accept.Range{{Start: 0, End: size}}
		h.RAM = c.RAM
	}
}

// The module refuses 1 GiB, as real ones do, and is not asked twice.
func TestGuestDriverAsksFor1GOnce(t *testing.T) {
	const memory = 3 << 30
	m := newMachine(t, withMemory(t, memory))
	d := m.driver()
	if err := d.Accept(accept.Range{Start: 1 << 30, End: memory}); err != nil || !d.No1G {
		t.Errorf("%v, No1G %v", err, d.No1G)
	}
	if left := m.Unaccepted(); left != 1<<30-low {
		t.Errorf("%#x bytes are left unaccepted", left)
	}
	calls := m.log.Record().Calls[record.TDCALL.String()]["MEM.PAGE.ACCEPT"]
	if refused := calls[abi.OperandInvalid.Name()]; refused != 1 {
		t.Errorf("the module has refused %d calls", refused)
	}
}

// MapGPA of more than a host converts at a time.
func TestGuestDriverGoesOnWhereTheHostStops(t *testing.T) {
	m := newMachine(t, withMemory(t, 1<<30))
	r := accept.Range{Start: unit, End: unit + 150<<20} // a host converts 64 MiB at a time
	if err := m.driver().MakeShared(r); err != nil || !m.allIn(r, "shared") {
		t.Error(err)
	}
	if n := m.log.Record().Calls[record.TDVMCALL.String()]["MapGPA"]["RETRY"]; n != 2 {
		t.Errorf("the host has stopped %d times", n)
	}
	m = newMachine(t)
	d := m.driver()
	var e *guest.Error
	if err := d.MakeShared(accept.Range{Start: holeStart, End: holeEnd}); !errors.As(err, &e) || e.Host != abi.VMCallInvalidOperand || e.GPA != holeStart {
		t.Errorf("what is no memory: %v", err)
	}
}

func TestGuestDriverOutsideOfMemory(t *testing.T) {
	m := newMachine(t)
	o, err := ends(func() error {
		return m.driver().Accept(accept.Range{Start: holeStart - size2M, End: holeStart + size2M})
	})
	if err != nil || m.State(holeStart-size2M) != "accepted" {
		t.Error(err)
	}
	m.wantViolation(o, confidential.Violation{GPA: holeStart, Access: x86.Write, RIP: codeAt, State: "no memory"})

	var e *guest.Error
	err = m.driver().Accept(accept.Range{Start: m.SharedBit() | unit, End: m.SharedBit() | unit + size2M})
	if !errors.As(err, &e) || e.Status != operandRCX || e.Level != abi.Level2M {
		t.Errorf("shared memory: %v", err)
	}
}

// Hosts that attack while a driver works: what it takes for accepted is, but for what the host has taken away since; and
// where that shows, the guest ends or reads zeros, never what the host wants.
func TestGuestDriverWithCheatingHosts(t *testing.T) {
	for _, a := range host.Attacks() {
		attacked := 0
		for _, small := range []bool{false, true} {
			for n := uint64(1); n <= 3; n++ {
				name := fmt.Sprintf("%s, small %v", host.Attack{Kind: a.Kind, N: n}, small)
				var cheat *host.CheatingTD
				m := newMachine(t, func(c *tdx.Config, h *host.Config) {
					if small {
						h.PageSize = physical.Size4K
					}
					cheat = host.CheatTD(c.Host.(*host.Host), c.Memory, host.Attack{Kind: a.Kind, N: n})
					c.Host = cheat
				})
				cheat.Serve(m.Module)
				d := m.driver()
				m.tdcall(regs{x86.RAX: 7, x86.RCX: 0, x86.RDX: uint64(abi.FieldTDCtls)}) // the guest's first instruction
				r := accept.Range{Start: unit - 0x3000, End: unit + 3*size2M}
				o, err := ends(func() error {
					if err := d.Accept(r); err != nil {
						return err
					}
					for at := r.Start; at < r.Start+0x8000; at += mem.PageSize {
						if o := m.run(regs{x86.RDX: at, x86.RAX: 0x600D}, store...); o.err != nil {
							panic(end{o})
						}
					}
					m.attacked() // an exit, on which contents that have changed are put back
					if err := d.MakeShared(r); err != nil {
						return err
					}
					return d.MakePrivate(r)
				})
				attacked += len(cheat.Report().Steps)
				if err != nil || o.err != nil || o.vector != 0 {
					// The guest knows. It has to be the host's doing.
					if cheat.Report().Steps == nil {
						t.Errorf("%s: %v, %+v, and the host was honest", name, err, o)
					}
					continue
				}
				lost := uint64(0)
				for at := r.Start; at < r.End; at += mem.PageSize {
					if m.State(at) == "accepted" {
						if m.run(regs{x86.RDX: at}, load...); m.cpu.R[x86.RAX] != 0 {
							t.Errorf("%s: the guest reads %#x at %#x", name, m.cpu.R[x86.RAX], at)
						}
						continue
					}
					lost += mem.PageSize
					o := m.run(regs{x86.RDX: at}, load...)
					var v *confidential.Violation
					if !errors.As(o.err, &v) {
						t.Errorf("%s: the guest may touch %#x, which is %s: %+v", name, at, m.State(at), o)
					}
					break // the machine has ended
				}
				if lost > 0 && len(cheat.Report().Steps) == 0 {
					t.Errorf("%s: pages are lost, and the host was honest", name)
				}
			}
		}
		if attacked == 0 {
			t.Errorf("%s: the host was honest", a.Kind)
		}
	}
}
