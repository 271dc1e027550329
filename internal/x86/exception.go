package x86

import (
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Vectors that platforms raise.
const (
	VectorUD = uop.VectorUD
	VectorDF = uop.VectorDF
	VectorGP = uop.VectorGP
	VectorVE = uop.VectorVE
	VectorVC = uop.VectorVC
)

var vectorNames = map[uint8]string{
	uop.VectorDE: "#DE", uop.VectorDB: "#DB", uop.VectorBP: "#BP", uop.VectorOF: "#OF", uop.VectorBR: "#BR", uop.VectorUD: "#UD", uop.VectorNM: "#NM", uop.VectorDF: "#DF",
	uop.VectorTS: "#TS", uop.VectorNP: "#NP", uop.VectorSS: "#SS", uop.VectorGP: "#GP", uop.VectorPF: "#PF", uop.VectorMF: "#MF", uop.VectorAC: "#AC", uop.VectorMC: "#MC",
	uop.VectorXM: "#XM", uop.VectorVE: "#VE", uop.VectorVC: "#VC",
}

// An Exception is a fault or trap to be delivered through the IDT.
type Exception struct {
	Vector     uint8
	Code       uint32
	HasCode    bool
	CR2        uint64 // for #PF, and where HasCR2 is set
	HasCR2     bool   // the exception loads CR2 although it is not #PF
	trap       bool   // RIP is that of the next instruction already; or a software interrupt
	soft       bool   // INT n, INT3: the gate's DPL is checked
	breakpoint bool   // #DB in front of an instruction: it does not set RF, which would keep the breakpoint from firing

	back uint8 // how far RIP goes back where delivery fails: the length of the instruction that asked for it
}

func (e Exception) String() string {
	name := vectorNames[e.Vector]
	if name == "" {
		name = fmt.Sprintf("vector %d", e.Vector)
	}
	if e.Vector == uop.VectorPF {
		return fmt.Sprintf("%s(%#x) at %#x", name, e.Code, e.CR2)
	}
	if e.HasCode {
		return fmt.Sprintf("%s(%#x)", name, e.Code)
	}
	return name
}

// Raise makes the instruction under way end with an exception. The first one counts.
func (c *CPU) Raise(e Exception) {
	if c.raised || c.exiting {
		return
	}
	c.pending, c.raised = e, true
}

func (c *CPU) raise(vector uint8, code uint32) bool {
	c.Raise(Exception{Vector: vector, Code: code, HasCode: true})
	return false
}

func (c *CPU) raiseNoCode(vector uint8) bool {
	c.Raise(Exception{Vector: vector})
	return false
}

// raiseNonCanonical raises #GP, or #SS where the address was formed with the stack segment (SDM vol. 1, 3.3.7.1).
func (c *CPU) raiseNonCanonical() {
	if c.stackRef {
		c.raise(uop.VectorSS, 0)
		return
	}
	c.raise(uop.VectorGP, 0)
}

// Classes of exceptions that decide whether a second one makes a double fault (SDM vol. 3, tables 6-4 and 6-5; #VC: APM
// vol. 2, 8.2.9).
const (
	benign = iota
	contributory
	pageFault
)

// A software interrupt, an external one and a trap are benign whatever their vector.
func class(e Exception) int {
	if e.trap {
		return benign
	}
	switch e.Vector {
	case uop.VectorDE, uop.VectorTS, uop.VectorNP, uop.VectorSS, uop.VectorGP, uop.VectorVC:
		return contributory
	case uop.VectorPF, uop.VectorVE:
		return pageFault
	}
	return benign
}

// A TripleFaultError ends the run at an exception during the delivery of #DF.
type TripleFaultError struct {
	RIP  uint64
	Last Exception // the one that was too many
}

func (e *TripleFaultError) Error() string {
	return fmt.Sprintf("triple fault: %v while #DF was being delivered at %#x", e.Last, e.RIP)
}

// A FaultLoopError ends the run where exceptions follow one another and no instruction completes between them: the
// handler's first instruction raises the next. Silicon stays in such a loop until an interrupt comes, which here had
// time to do so.
type FaultLoopError struct {
	RIP  uint64 // of the instruction that cannot be executed
	Last Exception
}

func (e *FaultLoopError) Error() string {
	return fmt.Sprintf("exceptions without end: %v at %#x, which handles it", e.Last, e.RIP)
}

// A faultLoop counts exceptions between which no instruction completes.
type faultLoop struct{ n, icount uint64 }

const (
	maxFaultsFree = 64      // so many cost no time: handlers do meet page faults
	maxFaults     = 1 << 24 // the others cost that of an instruction each: more than a timer's period in all
)

// stuck says whether the exception that is about to be delivered is one too many.
func (c *CPU) stuck() bool {
	f := &c.faults
	if f.icount != c.icount {
		*f = faultLoop{icount: c.icount}
	}
	if f.n++; f.n > maxFaultsFree {
		c.pass(c.nsPerInsn)
		c.tally.Add(cost.Instruction, 1)
	}
	return f.n > maxFaults
}

// nesting counts how many handlers are under way, to tell whether one of them has come back: as far as handlers end
// with IRET. One that jumps out of it is not noticed.
type nesting struct {
	depth, mark int
	returned    bool
}

func (n *nesting) leave() {
	n.depth--
	n.returned = n.returned || n.depth <= n.mark
}

// WatchReturn watches the handler of the exception that the instruction under way is about to raise.
func (c *CPU) WatchReturn() { c.nesting.mark, c.nesting.returned = c.nesting.depth, false }

// Returned says whether the handler that WatchReturn watches has come back to what was interrupted, or went on elsewhere.
func (c *CPU) Returned() bool { return c.nesting.returned }

// deliver takes the pending exception through the IDT; an exception on the way takes its place, or both become #DF, and
// after that comes the end.
func (c *CPU) deliver() {
	for {
		e := c.pending
		c.raised = false
		c.loadCR2(e)
		if e.Vector == uop.VectorDB && !e.soft {
			c.dr[7] &^= dr7GD // so that the handler can use the registers
		}
		if c.interrupt(e) || c.exiting {
			return
		}
		next := c.pending
		c.R[uop.BlkRIP] -= uint64(e.back)
		first, second := class(e), class(next)
		switch {
		case e.Vector == uop.VectorDF && !e.trap:
			c.loadCR2(next)
			c.raised = false
			c.leave(Exit{Kind: ExitTripleFault, Err: &TripleFaultError{RIP: c.RIP(), Last: next}})
			return
		case first == contributory && second == contributory, first == pageFault && second != benign:
			c.loadCR2(next)
			c.pending = Exception{Vector: uop.VectorDF, HasCode: true}
		}
	}
}

// loadCR2 notes the address of a page fault: of each that is detected, also of one that becomes #DF (SDM vol. 3, 6.15,
// #PF).
func (c *CPU) loadCR2(e Exception) {
	if e.Vector == uop.VectorPF && !e.trap || e.HasCR2 {
		c.cr2 = e.CR2
	}
}
