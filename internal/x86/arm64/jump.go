package arm64

import (
	"encoding/binary"
	"fmt"
)

// A Condition is what a conditional instruction looks at.
type Condition uint8

// Conditions, by their encodings. A condition with its lowest bit changed is the opposite.
const (
	EQ Condition = iota
	NE
	HS // C
	LO
	MI // N
	PL
	VS // V
	VC
	HI // C and not Z
	LS
	GE
	LT
	GT
	LE
)

// A Label is a place in the code, which may be used before it is known.
type Label int

// A use is an instruction whose field of so many bits from shift on is to hold the distance to a label, in instructions.
type use struct {
	at    int
	label Label
	bits  uint8
	shift uint8
}

// Label returns a new label, which is nowhere yet.
func (a *Assembler) Label() Label {
	a.labels = append(a.labels, -1)
	return Label(len(a.labels) - 1)
}

// Bind puts a label here.
func (a *Assembler) Bind(l Label) { a.labels[l] = len(a.Bytes) }

func (a *Assembler) to(w uint32, l Label, bits, shift uint8) {
	a.uses = append(a.uses, use{len(a.Bytes), l, bits, shift})
	a.word(w)
}

// B jumps to a label, up to 128 MiB away; Bcc where a condition holds, and CBZ, CBNZ where size bytes of a register are zero
// or not, up to 1 MiB; TBZ, TBNZ where a bit of it is clear or set, up to 32 KiB.
func (a *Assembler) B(l Label) { a.to(0x14000000, l, 26, 0) }

// Bcc is described at [Assembler.B], as are the others.
func (a *Assembler) Bcc(c Condition, l Label) { a.to(0x54000000|uint32(c), l, 19, 5) }

func (a *Assembler) CBZ(size int, t Reg, l Label) {
	a.to(0x34000000|uint32(size)>>3<<31|uint32(t), l, 19, 5)
}
func (a *Assembler) CBNZ(size int, t Reg, l Label) {
	a.to(0x35000000|uint32(size)>>3<<31|uint32(t), l, 19, 5)
}
func (a *Assembler) TBZ(t Reg, bit uint8, l Label)  { a.bit(0x36000000, t, bit, l) }
func (a *Assembler) TBNZ(t Reg, bit uint8, l Label) { a.bit(0x37000000, t, bit, l) }

func (a *Assembler) bit(w uint32, t Reg, bit uint8, l Label) {
	n := within(uint64(bit), 64)
	a.to(w|n>>5<<31|n&31<<19|uint32(t), l, 14, 5)
}

// BR jumps to the address in a register; Ret to that in LR.
func (a *Assembler) BR(n Reg) { a.word(0xD61F0000 | uint32(n)<<5) }

// Ret jumps to the address in LR.
func (a *Assembler) Ret() { a.word(0xD65F0000 | uint32(LR)<<5) }

// Finish fills in the jumps. All labels that are used have to be bound, and within reach: it says which is not.
func (a *Assembler) Finish() error {
	for _, u := range a.uses {
		to := a.labels[u.label]
		if to < 0 {
			panic("BUG: a jump to a label that is nowhere")
		}
		d := int64(to-u.at) / 4
		if d != d<<(64-u.bits)>>(64-u.bits) {
			return fmt.Errorf("a jump at %#x does not reach %#x", u.at, to)
		}
		w := binary.LittleEndian.Uint32(a.Bytes[u.at:])
		binary.LittleEndian.PutUint32(a.Bytes[u.at:], w|uint32(d)&(1<<u.bits-1)<<u.shift)
	}
	return nil
}

// Truncate takes back everything after the first n bytes. No label may have been bound there.
func (a *Assembler) Truncate(n int) {
	a.Bytes = a.Bytes[:n]
	for len(a.uses) > 0 && a.uses[len(a.uses)-1].at >= n {
		a.uses = a.uses[:len(a.uses)-1]
	}
}
