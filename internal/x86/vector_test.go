package x86

import (
	"encoding/binary"
	"math/rand"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

// A vectorMachine runs pieces of code and says with which exception they ended.
type vectorMachine struct {
	*bare
	t testing.TB
}

const (
	handlersAt = 0x12000 // HLT for each exception, 16 bytes apart
	noVector   = -1
)

func newVectorMachine(t testing.TB) *vectorMachine {
	b := newBare(t, 0, nil)
	for v := range uint64(32) {
		handler := handlersAt + 16*v
		b.write(bareIDT+16*v, handler&0xFFFF|8<<16|0x8E<<40|handler>>16<<48, 0)
		b.write(handler, 0xF4)
	}
	b.cr4 |= CR4OSXSAVE
	return &vectorMachine{b, t}
}

// do runs code and returns the vector of the exception that ended it, or noVector.
func (m *vectorMachine) do(code ...byte) int {
	m.t.Helper()
	if err := m.WritePhysical(bareCode, append(code, 0xF4)); err != nil {
		m.t.Fatal(err)
	}
	s := m.State()
	s.RIP, s.GPR[RSP] = bareCode, bareStack
	m.SetState(&s)
	if e := m.Run(1 << 60); e.Kind != ExitHalted {
		m.t.Fatalf("% x: %v", code, e)
	}
	if rip := m.RIP(); rip >= handlersAt {
		return int(rip-handlersAt) / 16
	}
	return noVector
}

func (m *vectorMachine) put(gpa uint64, b []byte) {
	if err := m.mem.Write(physical.Private, gpa, b); err != nil {
		m.t.Fatal(err)
	}
}

func (m *vectorMachine) get(gpa uint64, n int) []byte {
	b := make([]byte, n)
	if err := m.mem.Read(physical.Private, gpa, b); err != nil {
		m.t.Fatal(err)
	}
	return b
}

// seeded returns a source of random numbers that a failure can be repeated with.
func seeded(t testing.TB) *rand.Rand {
	const seed = 1
	t.Logf("seed %d", seed)
	return rand.New(rand.NewSource(seed))
}

func randomXMM(r *rand.Rand) XMM { return XMM{r.Uint64(), r.Uint64()} }

func xmmFrom(b []byte) XMM {
	return XMM{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// Every operation has a handler, and no instruction stands twice in the tables.
func TestVectorTables(t *testing.T) {
	for op := opSSE; op < sseOpEnd; op++ {
		if handlers[op] == nil {
			t.Errorf("operation %#x has no handler", uint16(op))
		}
	}
	for op := opX87; op <= opFRSTOR; op++ {
		if handlers[op] == nil {
			t.Errorf("operation %#x has no handler", uint16(op))
		}
	}
	for name, rows := range map[string][]vectorInsn{"0F": map0F, "0F38": map0F38, "0F3A": map0F3A} {
		type key struct {
			opcode uint8
			prefix mandatory
		}
		seen := map[key]bool{}
		for _, in := range rows {
			keys := []key{{in.opcode, in.prefix}}
			if in.prefix == both {
				keys = []key{{in.opcode, np}, {in.opcode, p66}}
			}
			for _, k := range keys {
				if seen[k] {
					t.Errorf("map %s: %02x with prefix %d stands twice", name, k.opcode, k.prefix)
				}
				seen[k] = true
			}
		}
	}
}

// The aligned forms raise #GP, the others do not mind.
func TestVectorAlignment(t *testing.T) {
	m := newVectorMachine(t)
	for _, c := range []struct {
		name string
		code []byte // with [rsi]
		want int
	}{
		{"MOVAPS load", []byte{0x0F, 0x28, 0x06}, vectorGP},
		{"MOVAPS store", []byte{0x0F, 0x29, 0x06}, vectorGP},
		{"MOVUPS load", []byte{0x0F, 0x10, 0x06}, noVector},
		{"MOVDQA load", []byte{0x66, 0x0F, 0x6F, 0x06}, vectorGP},
		{"MOVDQU store", []byte{0xF3, 0x0F, 0x7F, 0x06}, noVector},
		{"PXOR", []byte{0x66, 0x0F, 0xEF, 0x06}, vectorGP},
		{"LDDQU", []byte{0xF2, 0x0F, 0xF0, 0x06}, noVector},
		{"MOVNTDQ", []byte{0x66, 0x0F, 0xE7, 0x06}, vectorGP},
		{"PCMPISTRI", []byte{0x66, 0x0F, 0x3A, 0x63, 0x06, 0}, noVector},
		{"PMOVZXBW", []byte{0x66, 0x0F, 0x38, 0x30, 0x06}, noVector},
		{"ADDSD", []byte{0xF2, 0x0F, 0x58, 0x06}, noVector},
		{"FXSAVE", []byte{0x0F, 0xAE, 0x06}, vectorGP},
		{"PADDB mm", []byte{0x0F, 0xFC, 0x06}, noVector},
	} {
		m.R[RSI] = bareData + 8
		if got := m.do(c.code...); got != c.want {
			t.Errorf("%s at an odd multiple of 8: vector %d, want %d", c.name, got, c.want)
		}
		m.R[RSI] = bareData + 16
		if got := m.do(c.code...); got != noVector {
			t.Errorf("%s at a multiple of 16: vector %d", c.name, got)
		}
	}
}

// Where the operating system has not prepared for SSE and x87, their instructions raise what makes it prepare.
func TestVectorNotReady(t *testing.T) {
	sse, x87, mmx := []byte{0x0F, 0x57, 0xC0}, []byte{0xD9, 0xE8}, []byte{0x0F, 0xEF, 0xC0}
	fxsave, wait := []byte{0x0F, 0xAE, 0x06}, []byte{0x9B}
	for _, c := range []struct {
		name     string
		cr0, cr4 uint64 // bits to set, bits to clear
		code     []byte
		want     int
	}{
		{"TS, SSE", CR0TS, 0, sse, vectorNM},
		{"TS, x87", CR0TS, 0, x87, vectorNM},
		{"TS, MMX", CR0TS, 0, mmx, vectorNM},
		{"TS, FXSAVE", CR0TS, 0, fxsave, vectorNM},
		{"TS, WAIT", CR0TS, 0, wait, noVector},
		{"TS and MP, WAIT", CR0TS | CR0MP, 0, wait, vectorNM},
		{"EM, SSE", CR0EM, 0, sse, vectorUD},
		{"EM and TS, SSE", CR0EM | CR0TS, 0, sse, vectorUD},
		{"EM, x87", CR0EM, 0, x87, vectorNM},
		{"EM, FXSAVE", CR0EM, 0, fxsave, vectorNM},
		{"no OSFXSR, SSE", 0, CR4OSFXSR, sse, vectorUD},
		{"no OSFXSR, x87", 0, CR4OSFXSR, x87, noVector},
		{"no OSXSAVE, XSAVE", 0, CR4OSXSAVE, []byte{0x0F, 0xAE, 0x26}, vectorUD},
		{"LOCK, SSE", 0, 0, []byte{0xF0, 0x0F, 0x57, 0x06}, vectorUD},
	} {
		m := newVectorMachine(t)
		s := m.State()
		s.CR0 |= c.cr0
		s.CR4 &^= c.cr4
		s.GPR[RSI] = bareData
		m.SetState(&s)
		if got := m.do(c.code...); got != c.want {
			t.Errorf("%s: vector %d, want %d", c.name, got, c.want)
		}
	}
}

// MASKMOVDQU stores the bytes that the mask names, through DS or the segment in the prefix.
func TestMaskMove(t *testing.T) {
	m := newVectorMachine(t)
	before := make([]byte, 16)
	for i := range before {
		before[i] = byte(0xA0 + i)
	}
	m.put(bareData+3, before)
	m.X[1] = XMM{0x0706050403020100, 0x0F0E0D0C0B0A0908}
	m.X[2] = XMM{0x80FF7F0000800000, 0x0000000000000080}
	m.R[RDI] = bareData + 3
	if v := m.do(0x66, 0x0F, 0xF7, 0xCA); v != noVector {
		t.Fatalf("vector %d", v)
	}
	want := append([]byte{}, before...)
	for _, i := range []int{2, 6, 7, 8} {
		want[i] = byte(i)
	}
	if got := m.get(bareData+3, 16); string(got) != string(want) {
		t.Errorf("memory % x, want % x", got, want)
	}
}
