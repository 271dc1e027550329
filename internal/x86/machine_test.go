package x86

import (
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// A bare is a processor with flat memory, for tests: 64-bit mode, CPL 0, the first 1 GiB identity-mapped with one large
// page.
type bare struct {
	*CPU
	mem *mem.Memory
	bus testBus
}

const (
	bareSize   = 64 << 20
	bareTables = 0x1000 // PML4, PDPT
	bareGDT    = 0x3000
	bareIDT    = 0x4000
	bareStack  = 0x9000
	bareCode   = 0x10000
	bareData   = 0x20000
)

// A testBus remembers what was written to ports.
type testBus struct {
	out []byte
	in  func(port uint16, size int) uint32
}

func (b *testBus) In(port uint16, size int) uint32 {
	if b.in != nil {
		return b.in(port, size)
	}
	return ^uint32(0)
}
func (b *testBus) Out(_ uint16, _ int, v uint32) { b.out = append(b.out, byte(v)) }
func (b *testBus) Read(uint64, int) uint64       { return ^uint64(0) }
func (b *testBus) Write(uint64, int, uint64)     {}
func (b *testBus) Claims(uint64) bool            { return false }

func newBare(t testing.TB, blockLimit int, code []byte) *bare {
	t.Helper()
	m, err := mem.New(bareSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	b := &bare{mem: m}
	b.CPU = New(Config{
		Memory: m, Bus: &b.bus, BlockLimit: blockLimit, Engine: testEngine(t), TranslateAfter: 1,
		Platform: &Plain{Memory: m, Bus: &b.bus, RAM: func(gpa uint64) bool { return gpa < bareSize }},
	})
	b.engine = strictEngine{b.engine, t}
	b.write(bareTables, bareTables+0x1000|pteP|pteW)
	b.write(bareTables+0x1000, pteP|pteW|ptePS)
	b.write(bareGDT, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF)
	s := State{
		RIP: bareCode, RFLAGS: 2, CR0: CR0PE | CR0PG | CR0NE | CR0WP | CR0ET, CR3: bareTables, CR4: CR4PAE | CR4OSFXSR | CR4OSXMMEXCPT,
		EFER: EFERLME | EFERLMA | EFERNXE | EFERSCE, XCR0: 3, MXCSR: 0x1F80,
		GDTR: Table{bareGDT, 0x17}, IDTR: Table{bareIDT, 0xFFF},
		X87: b.State().X87,
	}
	s.GPR[uop.RSP] = bareStack
	s.Seg[uop.SegCS] = unpack(8, 0x00AF9B000000FFFF)
	s.Seg[uop.SegSS] = unpack(16, 0x00CF93000000FFFF)
	s.Seg[uop.SegDS], s.Seg[uop.SegES] = s.Seg[uop.SegSS], s.Seg[uop.SegSS]
	b.SetState(&s)
	if err := m.Write(physical.Private, bareCode, code); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bare) write(gpa uint64, words ...uint64) {
	for i, w := range words {
		if err := b.mem.Write(physical.Private, gpa+uint64(i)*8, binary.LittleEndian.AppendUint64(nil, w)); err != nil {
			panic(err)
		}
	}
}

func (b *bare) word(gpa uint64) uint64 {
	var p [8]byte
	if err := b.mem.Read(physical.Private, gpa, p[:]); err != nil {
		panic(err)
	}
	return binary.LittleEndian.Uint64(p[:])
}

// Sum of 1..1000 by a loop, at all block limits: one result, one time.
func TestLoopIsExactAtAnyBlockLimit(t *testing.T) {
	code := []byte{
		0x31, 0xC0, // xor eax, eax
		0xB9, 0xE8, 0x03, 0, 0, // mov ecx, 1000
		0x01, 0xC8, // add eax, ecx
		0xFF, 0xC9, // dec ecx
		0x75, 0xFA, // jnz -6
		0xF4, // hlt
	}
	for _, limit := range []int{0, 1, 2, 3, 7} {
		b := newBare(t, limit, code)
		e := b.Run(1_000_000)
		if e.Kind != ExitHalted || b.R[uop.RAX] != 500500 || b.Instructions() != 3003 {
			t.Errorf("limit %d: exit %v, rax %d, %d instructions", limit, e, b.R[uop.RAX], b.Instructions())
		}
	}
}

func BenchmarkLoop(b *testing.B) {
	code := []byte{
		0x01, 0xC8, // add eax, ecx
		0x48, 0x31, 0xC2, // xor rdx, rax
		0x48, 0x89, 0x14, 0x25, 0, 0, 2, 0, // mov [0x20000], rdx
		0x48, 0x03, 0x1C, 0x25, 0, 0, 2, 0, // add rbx, [0x20000]
		0x48, 0xD1, 0xCB, // ror rbx, 1
		0xFF, 0xC9, // dec ecx
		0x75, 0xE4, // jnz
		0xF4,
	}
	m := newBare(b, 0, code)
	m.R[uop.RCX] = uint64(b.N)
	b.ResetTimer()
	m.Run(1 << 62)
	b.ReportMetric(float64(m.Instructions())/b.Elapsed().Seconds()/1e6, "MIPS")
}
