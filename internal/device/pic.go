package device

import "math/bits"

// Ports of the two interrupt controllers, and of the register that says which lines are level-triggered (Intel 8259A data
// sheet; ICH9 data sheet, interrupt controller registers, ELCR1 and ELCR2).
const (
	picPort      = 0x20
	picSlavePort = 0xA0
	elcrPort     = 0x4D0

	picPorts  = 2
	elcrPorts = 2
)

const (
	picCascade = 2 // the first controller's line that the second one is on

	// What ELCR can make level-triggered: not the timer's, keyboard's and cascade's lines, nor the clock's and the
	// coprocessor's.
	elcrMaster = 0xF8
	elcrSlave  = 0xDE
)

// Initialization and operation command words (8259A, figures 7 and 8).
const (
	icw1       = 1 << 4 // of what is written to the even port
	icw1Single = 1 << 1
	icw1Fourth = 1 << 0 // ICW4 will be written
	icw4Nested = 1 << 4 // special fully nested mode
	icw4Auto   = 1 << 1 // automatic end of interrupt

	ocw3           = 1 << 3 // of what is written to the even port
	ocw3SetMask    = 1 << 6
	ocw3Mask       = 1 << 5
	ocw3Poll       = 1 << 2
	ocw3Select     = 1 << 1
	ocw3InService  = 1 << 0
	ocw2NonSpecial = 1 // in bits 7:5: ends of interrupts, and rotations
	ocw2Specific   = 3
	ocw2AutoSet    = 4
	ocw2AutoClear  = 0
	ocw2Rotate     = 5
	ocw2Priority   = 6
	ocw2RotateThis = 7
)

// PIC is the pair of 8259A of a PC: the second one's output is a line of the first, whose output is the processor's INTR.
// A kernel that has an I/O APIC masks all of it; one that was told to do without has nothing else.
//
// As in KVM an edge stays requested when the line goes back before it is acknowledged, and ICW1's trigger mode counts for
// nothing beside ELCR.
type PIC struct {
	intr     Line
	asserted bool
	chips    [2]pic
}

// newPIC returns the pair, not initialized: it requests nothing before software has told it its vectors.
func newPIC(intr Line) *PIC {
	p := &PIC{intr: intr}
	p.chips[0].reset()
	p.chips[1].reset()
	for i := range p.chips {
		p.chips[i].first, p.chips[i].imr = i == 0, 0xFF
	}
	return p
}

// Line returns the line of an ISA interrupt, 0 to 15 but for the cascade's.
func (p *PIC) Line(irq int) Line {
	return func(asserted bool) {
		p.chips[irq/8].set(uint8(irq%8), asserted)
		p.settle()
	}
}

// Acknowledge is the processor's interrupt acknowledge cycle: it returns the vector. Where the request has gone away, it is
// that of the lowest priority (8259A, "Edge and Level Triggered Modes").
func (p *PIC) Acknowledge() uint8 {
	chip, line := &p.chips[0], p.chips[0].take()
	if line == picCascade {
		chip = &p.chips[1]
		line = chip.take()
	}
	vector := chip.base | line
	p.settle()
	return vector
}

// settle brings the cascade and the output up to date.
func (p *PIC) settle() {
	if p.chips[1].pending() >= 0 { // its output goes down and up again for each request
		p.chips[0].set(picCascade, true)
		p.chips[0].set(picCascade, false)
	}
	if assert := p.chips[0].pending() >= 0; assert != p.asserted {
		p.asserted = assert
		p.intr(assert)
	}
}

// Chip returns the first controller, or the second, as a device of two ports.
func (p *PIC) Chip(n int) PortDevice { return picChip{p, &p.chips[n]} }

// ELCR returns the device at elcrPort.
func (p *PIC) ELCR() PortDevice { return elcr{p} }

type picChip struct {
	pair *PIC
	*pic
}

func (c picChip) In(offset uint16) uint8 {
	defer c.pair.settle()
	return c.read(offset)
}

func (c picChip) Out(offset uint16, value uint8) {
	c.write(offset, value)
	c.pair.settle()
}

type elcr struct{ pair *PIC }

func (e elcr) In(offset uint16) uint8 { return e.pair.chips[offset].level }

func (e elcr) Out(offset uint16, value uint8) {
	e.pair.chips[offset].level = value & [...]uint8{elcrMaster, elcrSlave}[offset]
}

// A pic is one 8259A. Bit n of its registers is line n.
type pic struct {
	first         bool // of the two
	irr, isr, imr uint8
	lines, level  uint8 // as they are now; those that ELCR says are level-triggered
	base          uint8 // vector of line 0
	lowest        uint8 // the line of the lowest priority: the next one has the highest

	expect             uint8 // number of the initialization command word that is due; 0 for none
	single, fourth     bool
	nested, auto       bool // special fully nested mode; automatic end of interrupt
	rotating           bool // … with rotation
	specialMask        bool
	poll, readsService bool
}

// reset is what ICW1 does.
func (c *pic) reset() {
	*c = pic{first: c.first, irr: c.irr & c.level, lines: c.lines & c.level, level: c.level, base: c.base, lowest: 7}
}

func (c *pic) set(line uint8, asserted bool) {
	bit := uint8(1) << line
	switch {
	case asserted && (c.level|^c.lines)&bit != 0:
		c.irr |= bit
	case !asserted:
		c.irr &^= bit & c.level
	}
	c.lines &^= bit
	if asserted {
		c.lines |= bit
	}
}

// rank is the priority of the most urgent of some lines, 0 the highest; 8 where there are none.
func (c *pic) rank(set uint8) int {
	return bits.TrailingZeros8(bits.RotateLeft8(set, -int(c.lowest)-1))
}

// pending returns the line that is to be served next, -1 where none is: it has to be more urgent than what is in service.
func (c *pic) pending() int {
	service := c.isr
	if c.specialMask {
		service &^= c.imr
	}
	if c.nested && c.first {
		service &^= 1 << picCascade // the second controller's own priorities count
	}
	rank := c.rank(c.irr &^ c.imr)
	if rank >= c.rank(service) {
		return -1
	}
	return (rank + int(c.lowest) + 1) % 8
}

// take puts the next line into service and returns it, 7 where there is none.
func (c *pic) take() uint8 {
	next := c.pending()
	if next < 0 {
		return 7
	}
	line, bit := uint8(next), uint8(1)<<next
	c.irr &^= bit &^ c.level
	switch {
	case !c.auto:
		c.isr |= bit
	case c.rotating:
		c.lowest = line
	}
	return line
}

func (c *pic) read(offset uint16) uint8 {
	switch {
	case c.poll:
		c.poll = false
		if c.pending() < 0 {
			return 0
		}
		return 1<<7 | c.take()
	case offset == 1:
		return c.imr
	case c.readsService:
		return c.isr
	}
	return c.irr
}

func (c *pic) write(offset uint16, v uint8) {
	switch {
	case offset == 1:
		c.writeData(v)
	case v&icw1 != 0:
		c.reset()
		c.expect, c.single, c.fourth = 2, v&icw1Single != 0, v&icw1Fourth != 0
	case v&ocw3 != 0:
		c.poll = v&ocw3Poll != 0
		if v&ocw3Select != 0 {
			c.readsService = v&ocw3InService != 0
		}
		if v&ocw3SetMask != 0 {
			c.specialMask = v&ocw3Mask != 0
		}
	default:
		c.end(v>>5, v&7)
	}
}

// writeData takes what is written to the odd port: the words of an initialization, or else the mask.
func (c *pic) writeData(v uint8) {
	next := uint8(0)
	switch c.expect {
	case 0:
		c.imr = v
	case 2:
		c.base = v &^ 7
		if next = 3; c.single {
			next = 4
		}
	case 3:
		next = 4
	case 4:
		c.nested, c.auto = v&icw4Nested != 0, v&icw4Auto != 0
	}
	if next == 4 && !c.fourth {
		next = 0
	}
	c.expect = next
}

// end does what OCW2 asks for: ends of interrupts, and changes of priority.
func (c *pic) end(command, line uint8) {
	switch command {
	case ocw2AutoClear, ocw2AutoSet:
		c.rotating = command == ocw2AutoSet
	case ocw2NonSpecial, ocw2Rotate:
		rank := c.rank(c.isr)
		if rank == 8 {
			return
		}
		line = uint8(rank+int(c.lowest)+1) % 8
		c.isr &^= 1 << line
		if command == ocw2Rotate {
			c.lowest = line
		}
	case ocw2Specific, ocw2RotateThis:
		c.isr &^= 1 << line
		if command == ocw2RotateThis {
			c.lowest = line
		}
	case ocw2Priority:
		c.lowest = line
	}
}
