package snp_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A testBus answers with what it is asked, and remembers it.
type testBus struct{ said []string }

func (b *testBus) say(format string, a ...any) { b.said = append(b.said, fmt.Sprintf(format, a...)) }

func (b *testBus) In(port uint16, size int) uint32 {
	b.say("in%d %#x", size, port)
	return 0xA1B2_C3D4
}
func (b *testBus) Out(port uint16, size int, v uint32) { b.say("out%d %#x %#x", size, port, v) }
func (b *testBus) Read(gpa uint64, size int) uint64 {
	b.say("read%d %#x", size, gpa)
	return 0x1122_3344_5566_7788
}
func (b *testBus) Write(gpa uint64, size int, v uint64) { b.say("write%d %#x %#x", size, gpa, v) }
func (b *testBus) Claims(uint64) bool                   { return true }

func (b *testBus) expect(t *testing.T, what string, said ...string) {
	t.Helper()
	if !slices.Equal(b.said, said) {
		t.Errorf("%s: the bus heard %q, want %q", what, b.said, said)
	}
	b.said = nil
}

func withTestBus(t *testing.T) (ghcb, *testBus) {
	b := new(testBus)
	return newMachine(t, withBus(b)).withGHCB(), b
}

func TestGHCBHasToBeThere(t *testing.T) {
	for what, ghcb := range map[string]uint64{"none": 0, "in no memory": holeStart, "far away": 1 << 60} {
		m := newMachine(t)
		m.setGHCBMSR(ghcb)
		if o := m.run(nil, insnVMGEXIT...); o.vector != done || o.err != nil {
			t.Errorf("%s: %+v, want nothing", what, o)
		}
	}
	var e *snp.GHCBError
	m := newMachine(t)
	m.share(ghcbAt)
	m.setGHCBMSR(ghcbAt)
	if o := m.run(nil, insnVMGEXIT...); !errors.As(o.err, &e) || e.GPA != ghcbAt {
		t.Errorf("not registered: %+v", o)
	}
	g := newMachine(t).withGHCB()
	g.mustValidate(ghcbAt, size4K)
	if o := g.run(nil, insnVMGEXIT...); !errors.As(o.err, &e) {
		t.Errorf("not shared: %+v", o)
	}
}

func TestGHCBRequestsAreChecked(t *testing.T) {
	const unknown = 0x8000_7777
	g := newMachine(t).withGHCB()
	for _, in := range []struct {
		what   string
		code   uint64
		fields []uint64
		want   uint64 // SW_EXITINFO2
	}{
		{"an event that there is not", unknown, nil, 6},
		{"CPUID without RCX", 0x72, []uint64{gRAX}, 4},
		{"CPUID without RAX", 0x72, []uint64{gRCX}, 4},
		{"MSR without RCX", 0x7C, nil, 4},
		{"MMIO without scratch", 0x8000_0001, nil, 4},
		{"page state change without scratch", 0x8000_0010, nil, 4},
		{"hypercall without CPL", 0x81, []uint64{gRAX}, 4},
		{"DR7 without RAX", 0x37, nil, 4},
	} {
		g.wipe()
		for _, f := range in.fields {
			g.set(f, 1)
		}
		if i1, i2 := g.exit(in.code, 0, 0); i1 != 2 || i2 != in.want {
			t.Errorf("%s: %d, %d, want 2, %d", in.what, i1, i2, in.want)
		}
	}
	for _, missing := range []uint64{gCode, gInfo1, gInfo2} {
		g.wipe()
		for _, f := range []uint64{gCode, gInfo1, gInfo2} {
			if f != missing {
				g.set(f, 0x89*b2u(f == gCode))
			}
		}
		g.poke(gCode, []byte{0x89})
		g.run(nil, insnVMGEXIT...)
		if i1, i2 := g.get(gInfo1), g.get(gInfo2); i1 != 2 || i2 != 4 {
			t.Errorf("WBINVD without %#x: %d, %d", missing, i1, i2)
		}
	}
	g.wipe()
	g.poke(gUsage, []byte{1})
	if i1, i2 := g.exit(0x89, 0, 0); i1 != 2 || i2 != 2 {
		t.Errorf("usage 1: %d, %d", i1, i2)
	}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func TestGHCBAnswersAreMarkedValid(t *testing.T) {
	g := newMachine(t).withGHCB()
	g.set(gRAX, 0x8000_001F)
	g.set(gRCX, 0)
	if i1, i2 := g.exit(0x72, 0, 0); i1 != 0 || i2 != 0 {
		t.Fatalf("CPUID: %d, %d", i1, i2)
	}
	if g.get(gRAX) != 0x1A || g.get(gRBX) != 0x8000_0073 {
		t.Errorf("CPUID 0x8000001F: EAX %#x, EBX %#x", g.get(gRAX), g.get(gRBX))
	}
	for _, f := range []uint64{gRAX, gRBX, gRCX, gRDX, gInfo1, gInfo2} {
		if !g.isValid(f) {
			t.Errorf("field %#x is not valid", f)
		}
	}
	for _, f := range []uint64{gCode, gScratch, gXCR0} {
		if g.isValid(f) {
			t.Errorf("field %#x is still valid", f)
		}
	}
	g.wipe()
	g.set(gRAX, 0xD)
	g.set(gRCX, 0)
	if i1, i2 := g.exit(0x72, 0, 0); i1 != 2 || i2 != 4 {
		t.Errorf("CPUID 0xD without XCR0: %d, %d", i1, i2)
	}
	g.wipe()
	g.set(gRAX, 0xD)
	g.set(gRCX, 0)
	g.set(gXCR0, 3)
	if i1, _ := g.exit(0x72, 0, 0); i1 != 0 || g.get(gRAX) != 3 || g.get(gRBX) != x86.XSaveSize {
		t.Errorf("CPUID 0xD: %d, EAX %#x, EBX %d", i1, g.get(gRAX), g.get(gRBX))
	}
}

func TestPortIO(t *testing.T) {
	g, bus := withTestBus(t)
	for i, size := range []int{1, 2, 4} {
		info := uint64(0x3F8<<16 | 1<<(4+i))
		g.wipe()
		g.set(gRAX, 0xFFFF_FFFF_8765_4321)
		g.exit(0x7B, info, 0)
		bus.expect(t, "OUT", fmt.Sprintf("out%d 0x3f8 %#x", size, uint64(0x8765_4321)&(1<<(8*size)-1)))
		g.wipe()
		g.set(gRAX, 0xFFFF_FFFF_8765_4321)
		g.exit(0x7B, info|1, 0)
		bus.expect(t, "IN", fmt.Sprintf("in%d 0x3f8", size))
		if want := []uint64{0xFFFF_FFFF_8765_43D4, 0xFFFF_FFFF_8765_C3D4, 0xA1B2_C3D4}[i]; g.get(gRAX) != want {
			t.Errorf("IN of %d bytes makes RAX %#x, want %#x", size, g.get(gRAX), want)
		}
	}
	g.wipe()
	if i1, i2 := g.exit(0x7B, 0x3F8<<16|1<<4, 0); i1 != 2 || i2 != 4 {
		t.Errorf("OUT without RAX: %d, %d", i1, i2)
	}
	for _, sizes := range []uint64{0, 3, 7} {
		if i1, i2 := g.exit(0x7B, 0x3F8<<16|sizes<<4|1, 0); i1 != 2 || i2 != 5 {
			t.Errorf("sizes %#x: %d, %d", sizes, i1, i2)
		}
	}
	bus.expect(t, "what is wrong")
}

func TestStringIO(t *testing.T) {
	g, bus := withTestBus(t)
	g.poke(gBuffer+8, []byte{1, 2, 3, 4})
	g.set(gScratch, ghcbAt+gBuffer+8)
	g.exit(0x7B, 0x70<<16|1<<5|1<<2|1<<3, 2)
	bus.expect(t, "OUTSW", "out2 0x70 0x201", "out2 0x70 0x403")
	g.set(gScratch, ghcbAt+gBuffer+8)
	g.exit(0x7B, 0x70<<16|1<<4|1<<2|1, 3)
	bus.expect(t, "INSB", "in1 0x70", "in1 0x70", "in1 0x70")
	if got := g.peek(gBuffer+8, 4); !slices.Equal(got, []byte{0xD4, 0xD4, 0xD4, 4}) {
		t.Errorf("INSB stores % x", got)
	}
	g.share(page)
	g.setGHCBMSR(ghcbAt)
	g.set(gScratch, page+0x10)
	g.exit(0x7B, 0x70<<16|1<<6|1<<2|1, 1)
	bus.expect(t, "INSD", "in4 0x70")
	if got := g.loadShared(page+0x10) & 0xFFFF_FFFF; got != 0xA1B2_C3D4 {
		t.Errorf("INSD to another page stores %#x", got)
	}
	for what, in := range map[string][2]uint64{
		"before the buffer":   {ghcbAt + gBuffer - 1, 1},
		"over its end":        {ghcbAt + 0xFEF, 2},
		"too long":            {ghcbAt + gBuffer, 1 << 40},
		"a private page":      {dataAt, 1},
		"no memory":           {holeStart, 1},
		"over a page's end":   {page + 0xFFF, 2},
		"no address":          {0, 1},
		"around the end":      {^uint64(0), 2},
		"more than the limit": {page, 0x10001},
	} {
		g.set(gScratch, in[0])
		if i1, i2 := g.exit(0x7B, 0x70<<16|1<<4|1<<2|1, in[1]); i1 != 2 || i2 != 3 {
			t.Errorf("%s: %d, %d, want 2, 3", what, i1, i2)
		}
	}
	bus.expect(t, "bad scratch areas")
	g.set(gScratch, ghcbAt+gBuffer)
	if i1, _ := g.exit(0x7B, 0x70<<16|1<<4|1<<2|1, 0); i1 != 0 {
		t.Errorf("nothing to move: %d", i1)
	}
}

func TestMMIO(t *testing.T) {
	g, bus := withTestBus(t)
	for _, size := range []uint64{1, 2, 4, 8} {
		g.poke(gBuffer, make([]byte, 16))
		g.set(gScratch, ghcbAt+gBuffer)
		g.exit(0x8000_0001, 0xFEC0_0010, size)
		bus.expect(t, "read", fmt.Sprintf("read%d 0xfec00010", size))
		if want := uint64(0x1122_3344_5566_7788) << (64 - 8*size) >> (64 - 8*size); g.get(gBuffer) != want {
			t.Errorf("a read of %d gives %#x", size, g.get(gBuffer))
		}
		g.set(gScratch, ghcbAt+gBuffer)
		g.exit(0x8000_0002, 0xFEC0_0010, size)
		bus.expect(t, "write", fmt.Sprintf("write%d 0xfec00010 %#x", size, uint64(0x1122_3344_5566_7788)<<(64-8*size)>>(64-8*size)))
	}
	g.set(gScratch, ghcbAt+gBuffer)
	g.exit(0x8000_0001, 0x1000, 15)
	bus.expect(t, "15 bytes", "read8 0x1000", "read4 0x1008", "read2 0x100c", "read1 0x100e")
	g.set(gScratch, ghcbAt+gBuffer)
	if i1, i2 := g.exit(0x8000_0001, 0x1000, 1<<63); i1 != 2 || i2 != 3 {
		t.Errorf("too many bytes: %d, %d", i1, i2)
	}
}

// A scratch area of 16 pages is what there is room for.
func TestLargestScratchArea(t *testing.T) {
	g := newMachine(t).withGHCB()
	const most = 16 * 0x1000
	for at := uint64(page); at < page+most+0x1000; at += 0x1000 {
		g.share(at)
	}
	g.setGHCBMSR(ghcbAt)
	for n, refused := range map[uint64]bool{most: false, most + 1: true} {
		g.wipe()
		g.set(gScratch, page)
		if i1, i2 := g.exit(0x8000_0001, 0xFEC0_0010, n); (i1 != 0) != refused || refused && i2 != 3 {
			t.Errorf("%#x bytes: %d, %d", n, i1, i2)
		}
	}
}

func TestMSRsAndKVMsClock(t *testing.T) {
	g := newMachine(t).withGHCB()
	read := func(index uint64) (value, info1 uint64) {
		g.wipe()
		g.set(gRCX, index)
		i1, i2 := g.exit(0x7C, 0, 0)
		if i1 == 1 && i2 != 1<<31|3<<8|13 {
			t.Errorf("RDMSR %#x: exception %#x", index, i2)
		}
		return g.get(gRAX) | g.get(gRDX)<<32, i1
	}
	write := func(index, value uint64) uint64 {
		g.wipe()
		g.set(gRCX, index)
		g.set(gRAX, value&0xFFFF_FFFF)
		g.set(gRDX, value>>32)
		i1, _ := g.exit(0x7C, 1, 0)
		return i1
	}
	for index, want := range map[uint64]uint64{0xC001_0010: 0, 0xC001_0015: 1 << 24, 0x1B: 0xFEE0_0D00, 0x802: 0} {
		if v, i1 := read(index); i1 != 0 || v != want {
			t.Errorf("RDMSR %#x: %#x, %d, want %#x", index, v, i1, want)
		}
	}
	if _, i1 := read(0x1234); i1 != 1 {
		t.Errorf("RDMSR of nothing: %d", i1)
	}
	if write(0x1234, 1) != 1 || write(0xC001_0010, 1<<23) != 1 {
		t.Error("WRMSR of what cannot be written succeeded")
	}
	g.wipe()
	g.set(gRCX, 0x10)
	if i1, i2 := g.exit(0x7C, 1, 0); i1 != 2 || i2 != 4 {
		t.Errorf("WRMSR without RAX: %d, %d", i1, i2)
	}
	const never = 1 << 40
	if write(0x832, 1<<18|0x40) != 0 || write(0x6E0, never) != 0 {
		t.Error("the TSC deadline cannot be written")
	}
	if v, _ := read(0x6E0); v != never {
		t.Errorf("the TSC deadline is %d", v)
	}

	g.share(page)
	g.setGHCBMSR(ghcbAt)
	if write(0x4B56_4D00, page+0x100) != 0 || write(0x4B56_4D01, page|1) != 0 {
		t.Fatal("KVM's clock cannot be asked for")
	}
	tsc, ns := g.word(physical.Shared, page+8), g.word(physical.Shared, page+16)
	scale := g.word(physical.Shared, page+24)
	if tsc != ns || tsc == 0 || tsc > uint64(g.cpu.Now()) || scale&0xFFFF_FFFF != 1<<31 || scale>>32&0xFFFF != 1|1<<8 {
		t.Errorf("TSC %d, %d ns, scale %#x", tsc, ns, scale)
	}
	if v := g.word(physical.Shared, page); v != 2 {
		t.Errorf("version and padding: %#x", v)
	}
	if v := g.word(physical.Shared, page+0x100); v != 1_700_000_000<<32|2 {
		t.Errorf("wall clock: %#x", v)
	}
	if v, _ := read(0x4B56_4D01); v != page|1 {
		t.Errorf("the clock's register is %#x", v)
	}
	g.set(gRCX, 0x4B56_4D01)
	g.set(gRAX, dataAt|1)
	g.set(gRDX, 0)
	var v *confidential.Violation
	if o := g.tryExit(0x7C, 1, 0); !errors.As(o.err, &v) || v.GPA != dataAt {
		t.Errorf("a clock in a private page: %+v", o)
	}
}

func TestOtherEvents(t *testing.T) {
	g := newMachine(t).withGHCB()
	g.set(gRAX, 0x700)
	g.exit(0x37, 0, 0)
	g.wipe()
	g.exit(0x27, 0, 0)
	if g.get(gRAX) != 0x700 {
		t.Errorf("DR7 is %#x", g.get(gRAX))
	}
	g.wipe()
	g.set(gRAX, 1<<32)
	if i1, i2 := g.exit(0x37, 0, 0); i1 != 1 || i2 != 1<<31|3<<8|13 {
		t.Errorf("DR7 with bit 32: %d, %#x", i1, i2)
	}
	g.wipe()
	g.set(gRAX, 999)
	g.mark(gCPL)
	if i1, _ := g.exit(0x81, 0, 0); i1 != 0 || int64(g.get(gRAX)) != -1000 {
		t.Errorf("hypercall: %d, %d", i1, int64(g.get(gRAX)))
	}
	g.wipe()
	g.set(gRAX, 1)
	g.mark(gCPL)
	g.poke(gCPL, []byte{3})
	g.exit(0x81, 0, 0)
	if int64(g.get(gRAX)) != -1 {
		t.Errorf("hypercall from CPL 3: %d", int64(g.get(gRAX)))
	}
	g.wipe()
	if i1, i2 := g.exit(0x8000_FFFD, 0, 0); i1 != 0 || i2 != 3 {
		t.Errorf("features: %d, %#x", i1, i2)
	}
	g.exit(0x8000_0005, 0, 0x9F000)
	if _, i2 := g.exit(0x8000_0005, 1, 0); i2 != 0x9F000 {
		t.Errorf("AP jump table at %#x", i2)
	}
	if i1, i2 := g.exit(0x8000_0005, 2, 0); i1 != 2 || i2 != 5 {
		t.Errorf("AP jump table, request 2: %d, %d", i1, i2)
	}
	if i1, i2 := g.exit(0x8000_0011, page, page+0x1000); i1 != 0 || i2 != 21 {
		t.Errorf("guest request: %d, %#x", i1, i2)
	}
	if i1, i2 := g.exit(0x8000_0011, page, page); i1 != 2 || i2 != 4 {
		t.Errorf("guest request with one page: %d, %#x", i1, i2)
	}
	g.set(gRCX, 0)
	if i1, _ := g.exit(0x6F, 0, 0); i1 != 1 {
		t.Errorf("RDPMC: %d", i1)
	}
	g.exit(0x6E, 0, 0)
	if tsc := g.get(gRAX) | g.get(gRDX)<<32; tsc == 0 || tsc > uint64(g.cpu.Now()) {
		t.Errorf("TSC %d at %d ns", tsc, g.cpu.Now())
	}
	var e *snp.Termination
	if o := g.tryExit(0x8000_FFFE, 1|4<<4, 0); !errors.As(o.err, &e) || e.Set != 1 || e.Reason != 4 {
		t.Errorf("termination: %+v", o)
	}
	var bad *snp.GHCBError
	if o := g.tryExit(0x8000_FFFF, 0x404, 0); !errors.As(o.err, &bad) {
		t.Errorf("unsupported event: %+v", o)
	}
}

// What Linux wipes the GHCB for: a program can execute VMGEXIT as well as the kernel.
func TestVMGEXITAtAnyPrivilegeLevel(t *testing.T) {
	m := newMachine(t)
	m.setGHCBMSR(2)
	if o := m.runUser(nil, insnVMGEXIT...); o.vector != done {
		t.Errorf("%+v", o)
	}
}

// Whatever a guest writes into its GHCB, the host answers or ends the machine with an error, in bounded time and
// memory.
func FuzzGHCB(f *testing.F) {
	f.Add(uint64(0x8000_0010), uint64(0), uint64(0), uint64(ghcbAt+gBuffer), []byte{0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0x80, 0, 0, 0, 0x20, 1})
	f.Add(uint64(0x7B), uint64(0x3F8<<16|1<<4|1<<2|1), uint64(2032), uint64(ghcbAt+gBuffer), []byte{})
	f.Add(uint64(0x8000_0001), uint64(0xFEC0_0000), uint64(8), uint64(ghcbAt+gBuffer), []byte{})
	f.Add(uint64(0x7C), uint64(1), uint64(0), uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, code, info1, info2, scratch uint64, buffer []byte) {
		g := newMachine(t).withGHCB()
		g.poke(gBuffer, buffer[:min(len(buffer), 2032)])
		for i, field := range []uint64{gRAX, gRCX, gRDX, gRBX} {
			g.set(field, info1*uint64(i+1)^info2)
		}
		g.set(gScratch, scratch)
		g.set(gXCR0, 3)
		if o := g.tryExit(code, info1, info2); o.vector == done && o.err == nil && g.get(gInfo1) > 2 {
			t.Fatalf("%#x, %#x", g.get(gInfo1), g.get(gInfo2))
		}
	})
}

// The same without the fuzzer's patience, and with what it would take long to find: page state changes of all kinds.
func TestGHCBWithRandomContents(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	g := newMachine(t).withGHCB()
	if err := g.AcceptRange(g.cpu, accept.Range{Start: page, End: holeStart}); err != nil {
		t.Fatal(err)
	}
	codes := []uint64{0x27, 0x37, 0x6E, 0x6F, 0x72, 0x76, 0x7B, 0x7C, 0x81, 0x87, 0x89, 0x8A, 0x8B, 0x8000_0001, 0x8000_0002, 0x8000_0003,
		0x8000_0005, 0x8000_0010, 0x8000_0010, 0x8000_0010, 0x8000_0011, 0x8000_0012, 0x8000_FFFD, 0x123}
	validated := uint64(low + holeStart - page)
	for step := range 20_000 {
		b := make([]byte, 4096)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		for i := gBuffer; i < 0xFF0; i += 8 { // entries of which some make sense, and none takes away what the machine runs in
			e := (8+r.Uint64N(248))<<20 | r.Uint64N(512)<<12 | r.Uint64N(4)<<52
			if r.IntN(2) == 0 {
				e = e&^0x1F_F000 | 1<<56
			}
			if r.IntN(4) == 0 {
				e |= r.Uint64N(514)
			}
			binary.LittleEndian.PutUint64(b[i:], e)
		}
		binary.LittleEndian.PutUint32(b[gBuffer:], uint32(r.IntN(8)|r.IntN(256)<<16))
		clear(b[gUsage:])
		g.poke(0, b)
		g.set(gScratch, ghcbAt+gBuffer+r.Uint64N(2)*r.Uint64N(4096))
		if o := g.tryExit(codes[r.IntN(len(codes))], r.Uint64()>>r.UintN(64), r.Uint64()>>r.UintN(64)); o.vector != done || o.err != nil {
			t.Fatalf("step %d: %+v", step, o)
		}
		if step%1000 == 0 { // no request validates anything
			now := uint64(0)
			for _, ram := range g.ram {
				for a := ram.Start; a < ram.End; a += 4096 {
					now += 4096 * b2u(g.State(a) == "validated")
				}
			}
			if now > validated {
				t.Fatalf("step %d: %d bytes validated, %d before", step, now, validated)
			}
			validated = now
		}
	}
	if validated > low+(holeStart-page)/4 {
		t.Errorf("%d bytes are still validated: too little was tried", validated)
	}
}
