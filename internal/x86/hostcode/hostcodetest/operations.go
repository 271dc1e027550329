// Package hostcodetest has what tests ask of every maker of machine code.
package hostcodetest

import (
	"bytes"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// End ends a block of two instructions.
var End = uop.Uop{Op: uop.End, Ord: 1, Imm: 8, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}

// operations calls f with micro-operations of every kind that a translator may know, on operands of several.
func operations(f func(u uop.Uop)) {
	slots := []uint8{uop.RAX, uop.RCX, uop.RDX, uop.RSP, uop.RDI, uop.R12, uop.R15, uop.Tmp0, uop.Tmp1, uop.Zero, uop.BlkRIP}
	for op := uop.Op(0); op < uop.FirstX87; op++ {
		for i, src := range slots {
			dst := slots[(i*7+3)%9]
			for _, aux := range []uint32{0, 1, 4, 8, 0x104, 0x304, 0x808, uop.NoLink} {
				u := uop.Uop{Op: op, Dst: dst, Src: src, Base: slots[(i+1)%10], Index: uop.Zero, Seg: []uint8{uop.Zero, uop.GSBase}[i&1], Scale: uint8(i & 3), Len: 3, Aux: aux, Disp: int64(i) << (3 * i)}
				if src == uop.Zero {
					u.Imm = 1 << (5 * (aux % 13))
				}
				f(u)
			}
		}
	}
}

// EveryOperation wants code of every micro-operation to be instructions, as read says, which returns the exits that it finds
// in it, too; the same whatever the generator has made before, which fresh has not; and where it leaves in front of the
// micro-operation, to have an entry after it. It wants most not to leave.
func EveryOperation(t *testing.T, used, fresh func(*hostcode.Block) hostcode.Code, read func(*hostcode.Code) ([]hostcode.Exit, error)) {
	t.Helper()
	const id = 0x12345
	translated := 0
	operations(func(u uop.Uop) {
		b := &hostcode.Block{Uops: []uop.Uop{u, End}, Instructions: 2, Links: 2, ID: id}
		c := used(b)
		if again := fresh(b); !bytes.Equal(again.Bytes, c.Bytes) {
			t.Fatalf("operation %#x: what was translated before makes a difference: %+v", u.Op, u)
		}
		exits, err := read(&c)
		if err != nil {
			t.Fatalf("operation %#x: %+v: %v", u.Op, u, err)
		}
		switch u.Op {
		case uop.Goto, uop.Jmp, uop.Ret, uop.Call, uop.CallReg, uop.JmpReg, uop.String, uop.End:
			return // there is nothing after it
		}
		leaves := false
		for _, e := range exits {
			leaves = leaves || e.Reason() == hostcode.AtUop
			if e.Block() != id || e.Reason() == hostcode.AtUop && e.Uop() != 0 {
				t.Errorf("operation %#x: an exit in front of micro-operation %d of block %#x", u.Op, e.Uop(), e.Block())
			}
		}
		conditional := u.Op >= uop.Jo && u.Op <= uop.Jg
		if leaves && c.Resume[1] == 0 && !conditional {
			t.Errorf("operation %#x is left in front of, and there is no entry after it: %+v", u.Op, u)
		}
		if !leaves {
			translated++
		}
	})
	if translated < 5000 {
		t.Errorf("%d operations never leave", translated)
	}
}
