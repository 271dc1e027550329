package gdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
)

// A fake is a machine that executes NOPs, one a byte. The one at fakeWrites stores to the counter, the one at fakeEnds
// ends it.
type fake struct {
	regs    []Registers
	memory  map[uint64]byte
	points  []Point
	resumes []Resume
	asked   []string // monitor commands
}

const (
	fakeCode   = 0x40_0000
	fakeWrites = fakeCode + 0x20
	fakeEnds   = fakeCode + 0x40
	fakeData   = 0x60_0000
)

func newFake(cpus int) *fake {
	f := &fake{regs: make([]Registers, cpus), memory: map[uint64]byte{}}
	for i := range f.regs {
		f.regs[i] = Registers{RAX: 0x1122334455667788, RIP: fakeCode, RFLAGS: 0x246, CR0: 0x80050033, CR3: 0x1234000, EFER: 0xD01, RSP: 0x7000 + uint64(i),
			MXCSR: 0x1F80, FCTRL: 0x37F, GSBase: 0xFFFF888000000000, CR8: 5}
		f.regs[i].ST[0] = [10]byte{7: 0x80, 8: 0xFF, 9: 0x3F} // 1.0
		copy(f.regs[i].XMM[3][:], []byte{0, 0, 0x80, 0x3F})   // 1.0f
	}
	for a := uint64(fakeCode); a < fakeCode+0x80; a++ {
		f.memory[a] = 0x90
	}
	for a := uint64(fakeData); a < fakeData+16; a++ {
		f.memory[a] = byte(a)
	}
	return f
}

func (f *fake) CPUs() int                   { return len(f.regs) }
func (f *fake) Registers(cpu int) Registers { return f.regs[cpu] }

func (f *fake) SetRegisters(cpu int, r *Registers) error {
	if r.CR0 != f.regs[cpu].CR0 {
		return errors.New("not CR0")
	}
	f.regs[cpu] = *r
	return nil
}

func (f *fake) ReadMemory(_ int, address uint64, p []byte) int {
	for i := range p {
		b, ok := f.memory[address+uint64(i)]
		if !ok {
			return i
		}
		p[i] = b
	}
	return len(p)
}

func (f *fake) WriteMemory(_ int, address uint64, p []byte) error {
	for i := range p {
		if _, ok := f.memory[address+uint64(i)]; !ok {
			return errors.New("nothing there")
		}
	}
	for i, b := range p {
		f.memory[address+uint64(i)] = b
	}
	return nil
}

func (f *fake) SetPoints(p []Point) error {
	if len(p) > 50 {
		return errors.New("too many")
	}
	f.points = slices.Clone(p)
	return nil
}

func (f *fake) Monitor(command string) string {
	f.asked = append(f.asked, command)
	return fmt.Sprintf("you said %q\n", command)
}

// step executes one instruction and says whether the machine has ended, and what was hit.
func (f *fake) step(cpu int) (ended bool, hit *Point) {
	r := &f.regs[cpu]
	at := r.RIP
	if r.RIP++; at == fakeEnds {
		return true, nil
	}
	if at == fakeWrites {
		f.memory[fakeData]++
		for _, p := range f.points {
			if p.Kind >= WriteWatch && p.Kind != ReadWatch && p.Address == fakeData {
				return false, &p
			}
		}
	}
	for _, p := range f.points {
		if p.Kind <= HardwareBreak && p.Address == r.RIP {
			return false, &p
		}
	}
	return false, nil
}

// run runs the machine under s until it ends or gdb leaves it.
func (f *fake) run(ctx context.Context, s *Server) {
	stop := Stop{}
	for {
		how := s.Serve(ctx, f, stop)
		f.resumes = append(f.resumes, how)
		if how.How == Detached || how.How == Killed {
			return
		}
		stop = Stop{CPU: how.CPU, Reason: Trap}
		for {
			ended, hit := f.step(how.CPU)
			if ended {
				s.Exited(0, "it is over\n")
				return
			}
			if hit != nil && hit.Kind >= WriteWatch {
				stop.Watch = hit
				stop.Text = "it was written\n"
			}
			rip := f.regs[how.CPU].RIP
			if hit != nil || how.How == Step && (rip < how.Start || rip >= how.End) {
				break
			}
			if s.Pending() {
				stop.Reason = Interrupt
				break
			}
		}
	}
}

func listen(t testing.TB) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// debug runs f under a server in the background; the function that it returns waits for the end.
func debug(t testing.TB, f *fake) (address string, wait func()) {
	t.Helper()
	s := listen(t)
	var done sync.WaitGroup
	done.Go(func() {
		if err := s.Wait(t.Context()); err != nil {
			t.Error(err)
			return
		}
		f.run(t.Context(), s)
	})
	return s.Addr().String(), done.Wait
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
