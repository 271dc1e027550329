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

// decoded decodes one instruction, all of b, with what follows an instruction in memory.
func decoded(t *testing.T, b []byte) []uop.Uop {
	t.Helper()
	d, ok := decode.Instructions(&decode.Request{Bytes: append(b[:len(b):len(b)], make([]byte, 16)...), Limit: 1, Mode: decode.ModeSSE})
	if !ok || d.Size != len(b) {
		t.Fatalf("% x: not an instruction of %d bytes", b, len(b))
	}
	return d.Uops
}

func TestVEX(t *testing.T) {
	kinds := map[amd64.VEXOp]uint32{
		amd64.ANDN: uop.BMIANDN, amd64.BLSR: uop.BMIBLSR, amd64.BLSMSK: uop.BMIBLSMSK, amd64.BLSI: uop.BMIBLSI, amd64.BZHI: uop.BMIBZHI, amd64.PEXT: uop.BMIPEXT,
		amd64.PDEP: uop.BMIPDEP, amd64.BEXTR: uop.BMIBEXTR, amd64.SHLX: uop.BMISHLX, amd64.SARX: uop.BMISARX, amd64.SHRX: uop.BMISHRX, amd64.RORX: uop.BMIRORX,
		amd64.MULX: uop.BMIMULX,
	}
	for op, kind := range kinds {
		for r := amd64.RAX; r <= amd64.R15; r++ {
			v, m := (r+3)&15, (r+9)&15
			for _, size := range []int{4, 8} {
				for _, o := range []amd64.Operand{amd64.R(m), amd64.At(m, 0), amd64.At(m, -300), amd64.Indexed(m, (r+2)&15, 3, 8)} {
					if o == amd64.Indexed(m, amd64.RSP, 3, 8) {
						continue
					}
					var a amd64.Assembler
					a.VEX(op, size, r, v, o, 13)
					uops := decoded(t, a.Bytes)
					u := uops[0]
					if o.IsMemory() {
						if amd64.Reg(u.Base) != m {
							t.Errorf("% x: base is %d, want %d", a.Bytes, u.Base, m)
						}
						u = uops[1]
					} else if amd64.Reg(u.Src) != m {
						t.Errorf("% x: of %d, want %d", a.Bytes, u.Src, m)
					}
					dst := r
					if op == amd64.BLSR || op == amd64.BLSMSK || op == amd64.BLSI {
						dst = v
					}
					switch {
					case amd64.Reg(u.Dst) != dst:
						t.Errorf("% x: to %d, want %d", a.Bytes, u.Dst, dst)
					case op == amd64.MULX && size == 8:
						if u.Op != uop.Mulx64 || amd64.Reg(u.Aux) != v {
							t.Errorf("% x: %+v", a.Bytes, u)
						}
					case u.Op != uop.BMI || u.Aux != kind || int(u.Scale) != size || op == amd64.RORX && u.Imm != 13 || op != amd64.RORX && amd64.Reg(u.Index) != v:
						t.Errorf("% x: %+v", a.Bytes, u)
					}
				}
			}
		}
	}
}

func TestSHA(t *testing.T) {
	for op, want := range map[amd64.Op]uop.Op{
		amd64.SHA1NEXTE: uop.SHA1NEXTE, amd64.SHA1MSG1: uop.SHA1MSG1, amd64.SHA1MSG2: uop.SHA1MSG2, amd64.SHA256RNDS2: uop.SHA256RNDS2,
		amd64.SHA256MSG1: uop.SHA256MSG1, amd64.SHA256MSG2: uop.SHA256MSG2, amd64.SHA1RNDS4: uop.SHA1RNDS4,
	} {
		for r := amd64.Reg(0); r < 16; r++ {
			var a amd64.Assembler
			if op == amd64.SHA1RNDS4 {
				a.RegRMImm(op, 8, r, amd64.R(15-r), 2)
			} else {
				a.RegRM(op, 8, r, amd64.R(15-r))
			}
			u := decoded(t, a.Bytes)[0]
			if u.Op != want || amd64.Reg(u.Dst) != r || amd64.Reg(u.Src) != 15-r || op == amd64.SHA1RNDS4 && u.Imm != 2 {
				t.Errorf("% x: %+v, want operation %#x of %d and %d", a.Bytes, u, want, r, 15-r)
			}
		}
	}
}
