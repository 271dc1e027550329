package oracle

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// Guest-physical addresses of what the interpreter's guest needs besides the windows. The supervisor half of its
// address space maps them at kernelBase.
const (
	gpaTables = 0x1000 // page tables, one page after the other
	gpaGDT    = 0x10000
	gpaIDT    = 0x11000
	gpaTSS    = 0x12000
	gpaStack  = 0x13000 // one page; exceptions are delivered with RSP at its end
	gpaTrap   = 0x14000 // handlers: trap addresses, 16 bytes each
	gpaCode   = 0x20000
	gpaArena  = 0x30000

	kernelBase = 0xFFFF_FFFF_8000_0000
	guestSize  = 2 << 20

	handlerBytes = 16
)

// An Interpreter runs cases in the package x86: a processor in 64-bit mode with user code in the same windows as the
// child on silicon, and an IDT whose handlers end the run.
type Interpreter struct {
	cpu   *x86.CPU
	mem   *mem.Memory
	start x86.State // what all cases have in common
	arena []byte    // of the last case
	next  uint64    // the next free page for page tables
	way   Way
}

// A Way is how cases are run in package x86: all of it computes what silicon does.
type Way struct {
	Engine     x86.EngineKind
	BlockLimit int // instructions a block; 0 means no limit
}

// Ways returns the ways that this host has: the interpreter, with blocks cut in three ways, and the translator, which
// translates each block before it is entered first.
func Ways() []Way {
	all := []Way{{}, {BlockLimit: 1}, {BlockLimit: 2}}
	if x86.TranslatorAvailable() == nil {
		all = append(all, Way{Engine: x86.EngineTranslator})
	}
	return all
}

func (w Way) String() string {
	name := "the interpreter"
	if w.Engine == x86.EngineTranslator {
		name = "the translator"
	}
	if w.BlockLimit > 0 {
		name += fmt.Sprintf(", with blocks of at most %d instructions", w.BlockLimit)
	}
	return name
}

// NewInterpreter returns a guest in which cases are run in one way.
func NewInterpreter(way Way) (*Interpreter, error) {
	m, err := mem.New(guestSize)
	if err != nil {
		return nil, err
	}
	g := &Interpreter{mem: m, arena: make([]byte, arenaSize), next: gpaTables + pageSize, way: way}
	platform := &x86.Plain{Memory: m, RAM: func(gpa uint64) bool { return gpa < guestSize }}
	g.cpu = x86.New(x86.Config{Memory: m, Platform: platform, Bus: noBus{}, Traps: g, Engine: way.Engine, TranslateAfter: 1, BlockLimit: way.BlockLimit})
	g.start = g.cpu.State()
	if err := g.build(); err != nil {
		return nil, fmt.Errorf("the interpreter's guest: %w", err)
	}
	return g, nil
}

// Close gives the guest's memory back.
func (g *Interpreter) Close() error { return g.mem.Close() }

// Trap implements [x86.Traps]: every exception handler.
func (g *Interpreter) Trap(gpa uint64) bool { return gpa >= gpaTrap && gpa < gpaTrap+pageSize }

// guestCPUID is what the interpreter's guest sees of CPUID.
func guestCPUID(leaf, subleaf uint32) [4]uint32 { return x86.Features(leaf, subleaf) }

// noBus is a machine without devices. User code without I/O privilege does not get to them.
type noBus struct{}

func (noBus) In(uint16, int) uint32     { return 0 }
func (noBus) Out(uint16, int, uint32)   {}
func (noBus) Read(uint64, int) uint64   { return 0 }
func (noBus) Write(uint64, int, uint64) {}
func (noBus) Claims(uint64) bool        { return false }

// caseTime bounds a case in virtual nanoseconds, which are instructions: the longest are repetitions, which count as
// one.
const caseTime = 1000

// Run runs one case. The outcome's arena is valid until the next.
func (g *Interpreter) Run(c *Case, o *Outcome) {
	*o = Outcome{}
	if o.Err = g.load(c); o.Err != nil {
		return
	}
	exit := g.cpu.Run(g.cpu.Now() + caseTime)
	o.Err = g.outcome(c, exit, o)
}

func (g *Interpreter) load(c *Case) error {
	clear(g.arena)
	c.arena(g.arena)
	if err := g.mem.Write(physical.Private, gpaArena, g.arena); err != nil {
		return err
	}
	if err := g.mem.Write(physical.Private, gpaCode+c.In.RIP-codeBase, c.inWindow(c.Code)); err != nil {
		return err
	}
	s := g.start
	s.GPR, s.RIP, s.RFLAGS, s.MXCSR = c.In.GPR, c.In.RIP, c.In.Flags, c.In.MXCSR
	for i, v := range c.In.XMM {
		s.XMM[i] = v
	}
	var image [fxBytes]byte
	c.In.storeFX(image[:])
	s.X87.SetImage((*[fxXMM]byte)(image[:]))
	g.cpu.SetState(&s)
	return nil
}

// inWindow cuts code off at the end of the window.
func (c *Case) inWindow(code []byte) []byte { return code[:min(uint64(len(code)), codeEnd-c.In.RIP)] }

// outcome reads the state after the case: the processor's, and what the delivery of the exception pushed (SDM vol. 3,
// figure 7-8).
func (g *Interpreter) outcome(c *Case, exit x86.Exit, o *Outcome) error {
	if err := g.mem.Write(physical.Private, gpaCode+c.In.RIP-codeBase, c.inWindow(bytes.Repeat([]byte{0xCC}, codeBytes))); err != nil {
		return err
	}
	if exit.Kind != x86.ExitTrap {
		return fmt.Errorf("the interpreter stopped: kind %d, %v", exit.Kind, exit.Err)
	}
	s := g.cpu.State()
	o.Vector = uint8((exit.GPA - gpaTrap) / handlerBytes)
	o.CR2 = s.CR2
	o.GPR, o.MXCSR = s.GPR, s.MXCSR
	o.FSBase, o.GSBase = s.Seg[4].Base, s.Seg[5].Base
	var image [fxBytes]byte
	x87 := s.X87.Image()
	copy(image[:], x87[:])
	o.loadFX(image[:])
	o.MXCSR = s.MXCSR
	for i, v := range s.XMM {
		o.XMM[i] = v
	}

	var frame [6]uint64
	var b [8]byte
	for i := range frame {
		if err := g.mem.Read(physical.Private, gpaStack+pageSize-8*uint64(6-i), b[:]); err != nil {
			return err
		}
		frame[i] = binary.LittleEndian.Uint64(b[:])
	}
	if pushed := kernelStack - s.GPR[rsp]; pushed == 6*8 {
		o.Code = uint32(frame[0])
	}
	o.RIP, o.Flags, o.GPR[rsp] = frame[1], frame[3], frame[4]
	o.Arena = g.arena
	return g.mem.Read(physical.Private, gpaArena, g.arena)
}
