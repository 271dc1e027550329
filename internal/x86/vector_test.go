package x86

import (
	"encoding/binary"
	"math/rand"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
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
	s.RIP, s.GPR[uop.RSP] = bareCode, bareStack
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

// Every operation has a handler.
func TestOperationsHaveHandlers(t *testing.T) {
	for op := uop.FirstSSE; op < uop.SSEEnd; op++ {
		if handlers[op] == nil {
			t.Errorf("operation %#x has no handler", uint16(op))
		}
	}
	for op := uop.FirstX87; op <= uop.FRSTOR; op++ {
		if handlers[op] == nil {
			t.Errorf("operation %#x has no handler", uint16(op))
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
		{"MOVAPS load", []byte{0x0F, 0x28, 0x06}, uop.VectorGP},
		{"MOVAPS store", []byte{0x0F, 0x29, 0x06}, uop.VectorGP},
		{"MOVUPS load", []byte{0x0F, 0x10, 0x06}, noVector},
		{"MOVDQA load", []byte{0x66, 0x0F, 0x6F, 0x06}, uop.VectorGP},
		{"MOVDQU store", []byte{0xF3, 0x0F, 0x7F, 0x06}, noVector},
		{"PXOR", []byte{0x66, 0x0F, 0xEF, 0x06}, uop.VectorGP},
		{"LDDQU", []byte{0xF2, 0x0F, 0xF0, 0x06}, noVector},
		{"MOVNTDQ", []byte{0x66, 0x0F, 0xE7, 0x06}, uop.VectorGP},
		{"PCMPISTRI", []byte{0x66, 0x0F, 0x3A, 0x63, 0x06, 0}, noVector},
		{"PMOVZXBW", []byte{0x66, 0x0F, 0x38, 0x30, 0x06}, noVector},
		{"ADDSD", []byte{0xF2, 0x0F, 0x58, 0x06}, noVector},
		{"FXSAVE", []byte{0x0F, 0xAE, 0x06}, uop.VectorGP},
		{"PADDB mm", []byte{0x0F, 0xFC, 0x06}, noVector},
	} {
		m.R[uop.RSI] = bareData + 8
		if got := m.do(c.code...); got != c.want {
			t.Errorf("%s at an odd multiple of 8: vector %d, want %d", c.name, got, c.want)
		}
		m.R[uop.RSI] = bareData + 16
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
		{"TS, SSE", CR0TS, 0, sse, uop.VectorNM},
		{"TS, x87", CR0TS, 0, x87, uop.VectorNM},
		{"TS, MMX", CR0TS, 0, mmx, uop.VectorNM},
		{"TS, FXSAVE", CR0TS, 0, fxsave, uop.VectorNM},
		{"TS, WAIT", CR0TS, 0, wait, noVector},
		{"TS and MP, WAIT", CR0TS | CR0MP, 0, wait, uop.VectorNM},
		{"EM, SSE", CR0EM, 0, sse, uop.VectorUD},
		{"EM and TS, SSE", CR0EM | CR0TS, 0, sse, uop.VectorUD},
		{"EM, x87", CR0EM, 0, x87, uop.VectorNM},
		{"EM, FXSAVE", CR0EM, 0, fxsave, uop.VectorNM},
		{"no OSFXSR, SSE", 0, CR4OSFXSR, sse, uop.VectorUD},
		{"no OSFXSR, x87", 0, CR4OSFXSR, x87, noVector},
		{"no OSXSAVE, XSAVE", 0, CR4OSXSAVE, []byte{0x0F, 0xAE, 0x26}, uop.VectorUD},
		{"LOCK, SSE", 0, 0, []byte{0xF0, 0x0F, 0x57, 0x06}, uop.VectorUD},
	} {
		m := newVectorMachine(t)
		s := m.State()
		s.CR0 |= c.cr0
		s.CR4 &^= c.cr4
		s.GPR[uop.RSI] = bareData
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
	m.R[uop.RDI] = bareData + 3
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
