package amd64_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Instructions that are newer than the disassembler are read by the decoder of guests' code.
func TestNewInstructions(t *testing.T) {
	for _, c := range []struct {
		op   amd64.Op
		size int
		want uop.Op
	}{
		{amd64.ADCX, 8, uop.Adcx64}, {amd64.ADOX, 8, uop.Adox64}, {amd64.ADCX, 4, uop.ADX32}, {amd64.ADOX, 4, uop.ADX32},
	} {
		for r := amd64.RAX; r <= amd64.R15; r++ {
			other := 15 - r
			for _, o := range []amd64.Operand{amd64.R(other), amd64.At(other, 8), amd64.At(other, 0x12345)} {
				var a amd64.Assembler
				a.RegRM(c.op, c.size, r, o)
				n := len(a.Bytes)
				b, ok := decode.Instructions(&decode.Request{Bytes: append(a.Bytes, make([]byte, 16)...), Limit: 1, Mode: decode.ModeSSE})
				if !ok || b.Size != n {
					t.Fatalf("% x: not an instruction of %d bytes", a.Bytes[:n], n)
				}
				u := b.Uops[0]
				if o.IsMemory() {
					if amd64.Reg(u.Base) != other {
						t.Errorf("% x: base is %d, want %d", a.Bytes[:n], u.Base, other)
					}
					u = b.Uops[1]
				} else if amd64.Reg(u.Src) != other {
					t.Errorf("% x: of %d, want %d", a.Bytes[:n], u.Src, other)
				}
				if u.Op != c.want || amd64.Reg(u.Dst) != r || u.Op == uop.ADX32 && u.Aux != uint32(c.op-amd64.ADCX) {
					t.Errorf("% x: operation %#x to %d, want %#x to %d", a.Bytes[:n], u.Op, u.Dst, c.want, r)
				}
			}
		}
	}
}
