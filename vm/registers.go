package vm

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
)

// Registers are those of a processor that software names, but for those of the x87 unit.
type Registers struct {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 uint64

	RIP, RFLAGS            uint64
	ES, CS, SS, DS, FS, GS uint16 // selectors

	FSBase, GSBase, KernelGSBase  uint64
	CR0, CR2, CR3, CR4, CR8, EFER uint64
	XMM                           [16][2]uint64 // the lower half first
	MXCSR                         uint32
}

// general are the general-purpose registers in the order of their numbers in instructions.
func (r *Registers) general() [16]*uint64 {
	return [16]*uint64{&r.RAX, &r.RCX, &r.RDX, &r.RBX, &r.RSP, &r.RBP, &r.RSI, &r.RDI, &r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15}
}

// selectors are the segment registers in the order of their numbers in instructions.
func (r *Registers) selectors() [6]*uint16 {
	return [6]*uint16{&r.ES, &r.CS, &r.SS, &r.DS, &r.FS, &r.GS}
}

// Registers returns the registers of the machine's processor, where [Machine.Run] has stopped: RIP is the address of the
// next instruction.
func (m *Machine) Registers() Registers { return registersOf(m.cpu()) }

func registersOf(c *x86.CPU) Registers {
	s := c.State()
	kernelGS, _ := c.MSR(x86.MSRKernelGSBase)
	r := Registers{
		RIP: s.RIP, RFLAGS: s.RFLAGS, FSBase: c.R[x86.FSBase], GSBase: c.R[x86.GSBase], KernelGSBase: kernelGS,
		CR0: s.CR0, CR2: s.CR2, CR3: s.CR3, CR4: s.CR4, CR8: s.CR8, EFER: s.EFER, MXCSR: s.MXCSR,
	}
	for i, v := range r.general() {
		*v = s.GPR[i]
	}
	for i, v := range r.selectors() {
		*v = s.Seg[i].Selector
	}
	for i, v := range s.XMM {
		r.XMM[i] = v
	}
	return r
}

// SetRegisters changes the registers of the machine's processor. Selectors, control registers, EFER and the base that
// SWAPGS exchanges decide how the processor works and have to stay as they are: that, an address that is not canonical and
// bits that MXCSR does not have are errors, and nothing is changed. Bits that RFLAGS does not have are dropped.
func (m *Machine) SetRegisters(r Registers) error {
	if err := m.changeable(); err != nil {
		return err
	}
	m.thaw()
	return setRegisters(m.cpu(), &r)
}

func setRegisters(c *x86.CPU, r *Registers) error {
	now := registersOf(c)
	if err := settable(&now, r); err != nil {
		return err
	}
	for i, v := range r.general() {
		c.R[i] = *v
	}
	c.R[x86.FSBase], c.R[x86.GSBase] = r.FSBase, r.GSBase
	for i, v := range r.XMM {
		c.X[i] = v
	}
	if r.MXCSR != now.MXCSR {
		s := c.State()
		s.MXCSR = r.MXCSR
		c.SetState(&s)
	}
	if r.RFLAGS != now.RFLAGS {
		c.SetFlags(r.RFLAGS)
	}
	if r.RIP != now.RIP {
		c.SetRIP(r.RIP)
	}
	return nil
}

// settable says what keeps the registers from being what is asked for.
func settable(now, want *Registers) error {
	same := *want // but for what may change
	for i, v := range same.general() {
		*v = *now.general()[i]
	}
	same.RIP, same.RFLAGS, same.XMM, same.MXCSR, same.FSBase, same.GSBase = now.RIP, now.RFLAGS, now.XMM, now.MXCSR, now.FSBase, now.GSBase
	if same != *now {
		return errors.New("segment and control registers are for reading")
	}
	for _, a := range []uint64{want.FSBase, want.GSBase, want.RIP} {
		if uint64(int64(a<<16)>>16) != a {
			return fmt.Errorf("%#x is not canonical", a)
		}
	}
	if want.MXCSR>>16 != 0 {
		return fmt.Errorf("MXCSR has no bits beyond 15, and %#x has", want.MXCSR)
	}
	return nil
}

// changeable says why the guest's state cannot be changed from outside.
func (m *Machine) changeable() error {
	switch {
	case m.over != nil:
		return fmt.Errorf("the run has ended: %w", m.over)
	case !m.started:
		return errNotStarted
	}
	return nil
}

// ReadMemory reads guest memory from a virtual address on, as the processor's page tables lead, whatever they allow; with
// paging off, from a guest-physical one. Nothing happens to the guest by it: a page that is not accepted cannot be read,
// and stays as it is. It returns how many bytes were read; where that is less than len(p), err says why.
func (m *Machine) ReadMemory(address uint64, p []byte) (n int, err error) {
	return readMemory(m.cpu(), address, p)
}

func readMemory(c *x86.CPU, address uint64, p []byte) (int, error) {
	n, err := pieces(address, uint64(len(p)), func(a, from, to uint64) error { return c.ReadVirtual(a, p[from:to]) })
	return int(n), err
}

// WriteMemory writes guest memory from a virtual address on, all of p or nothing, as [Machine.ReadMemory] reads it:
// write-protected pages can be written to, and pages that are not accepted cannot.
func (m *Machine) WriteMemory(address uint64, p []byte) error {
	if err := m.changeable(); err != nil {
		return err
	}
	m.thaw()
	return writeMemory(m.cpu(), address, p)
}

func writeMemory(c *x86.CPU, address uint64, p []byte) error {
	var gpas []uint64
	_, err := pieces(address, uint64(len(p)), func(a, from, to uint64) error {
		gpa, err := c.Translate(a, false)
		if err == nil {
			err = c.ReadPhysical(gpa, make([]byte, to-from))
		}
		gpas = append(gpas, gpa)
		return err
	})
	if err != nil {
		return err
	}
	_, err = pieces(address, uint64(len(p)), func(_, from, to uint64) error {
		gpa := gpas[0]
		gpas = slices.Delete(gpas, 0, 1)
		return c.WritePhysical(gpa, p[from:to])
	})
	return err
}

// pieces calls f for each page's part of n bytes from address on, until it fails, and returns how many bytes it was not
// called for in vain.
func pieces(address, n uint64, f func(address, from, to uint64) error) (done uint64, err error) {
	for done < n {
		size := min(n-done, mem.PageSize-address%mem.PageSize)
		if err := f(address, done, done+size); err != nil {
			return done, err
		}
		address, done = address+size, done+size
	}
	return done, nil
}

// State names what the page at a guest-physical address is to the platform: whether it is there, accepted, shared.
func (m *Machine) State(gpa uint64) string { return m.platform.state(gpa) }
