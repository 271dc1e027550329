package amd64

import "encoding/binary"

// A Label is a place in the code, which may be used before it is known. All jumps have 32 bits.
type Label int

// A use is four bytes that are to hold the distance from their end to a label.
type use struct {
	at    int
	label Label
}

// Label returns a new label, which is nowhere yet.
func (a *Assembler) Label() Label {
	a.labels = append(a.labels, -1)
	return Label(len(a.labels) - 1)
}

// Bind puts a label here.
func (a *Assembler) Bind(l Label) { a.labels[l] = len(a.Bytes) }

// Jcc, Jmp jump to a label.
func (a *Assembler) Jcc(c Condition, l Label) {
	a.bytes(0x0F, 0x80|byte(c))
	a.to(l)
}

// Jmp jumps to a label.
func (a *Assembler) Jmp(l Label) {
	a.bytes(0xE9)
	a.to(l)
}

func (a *Assembler) to(l Label) {
	a.uses = append(a.uses, use{len(a.Bytes), l})
	a.word32(0)
}

// Finish fills in the jumps. All labels that are used have to be bound.
func (a *Assembler) Finish() {
	for _, u := range a.uses {
		to := a.labels[u.label]
		if to < 0 {
			panic("BUG: a jump to a label that is nowhere")
		}
		binary.LittleEndian.PutUint32(a.Bytes[u.at:], uint32(to-u.at-4))
	}
}
