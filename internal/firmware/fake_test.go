package firmware

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// A machine is firmware with a processor that executes nothing: guest code is Go functions at made-up addresses, and a
// test calls services as guest code would, through the pointers in the tables.
type machine struct {
	testing.TB
	*Firmware
	ram      *mem.Memory
	accepted map[uint64]bool // page addresses; nil where there is nothing to accept

	id    int // of the processor at work
	gpr   [16]uint64
	xmm   [16]x86.XMM
	rip   uint64
	flags uint64
	now   int64
	moved []mapping // guest-virtual to guest-physical; everything else is mapped to itself

	cost      cost.Model // the zero Model: nothing takes time
	launched  *launch
	protected bool // it has left long mode
	functions map[uint64]func(rcx, rdx uint64) uint64
	console   strings.Builder
	callSite  uint64 // where calls seem to come from; 0 for nowhere that firmware knows
	steps     int
	patience  int // steps after which a guest is given up
}

type mapping struct{ virtual, physical, size uint64 }

// errPending is what a platform says to a touch of memory that has not been accepted.
var errPending = errors.New("memory is not accepted")

var errNotMapped = errors.New("not mapped")

var errLost = errors.New("the guest does not come back")

func (m *machine) ID() int           { return m.id }
func (m *machine) State() x86.State  { return x86.State{CR3: 0x1000} }
func (m *machine) GPR() *[16]uint64  { return &m.gpr }
func (m *machine) XMM() *[16]x86.XMM { return &m.xmm }
func (m *machine) RIP() uint64       { return m.rip }
func (m *machine) SetRIP(v uint64)   { m.rip = v }
func (m *machine) Flags() uint64     { return m.flags }
func (m *machine) SetFlags(v uint64) { m.flags = v }
func (m *machine) CR2() uint64       { return 0xC0DE }
func (m *machine) Long() bool        { return !m.protected }
func (m *machine) LongMode(l launch) { m.launched, m.flags = &l, flagIF }
func (m *machine) Now() int64        { return m.now }
func (m *machine) Cost() cost.Model  { return m.cost }
func (m *machine) Resume()           {}
func (m *machine) Idle(ns uint64)    { m.now += int64(ns) }

func (m *machine) Charge(e cost.Event, n uint64) { m.now = m.cost.Charge(m.now, e, n) }

func (m *machine) Instructions() uint64 { return uint64(m.steps) }
func (m *machine) Yielding() bool       { return false }

func (m *machine) Unmapped(err error) bool { return errors.Is(err, errNotMapped) }

func (m *machine) translate(va uint64) (uint64, error) {
	for _, p := range m.moved {
		if va >= p.virtual && va < p.virtual+p.size {
			return va - p.virtual + p.physical, nil
		}
	}
	for _, r := range physical.RAM(m.cfg.TotalMemory) {
		if va >= r.Start && va < r.End {
			return va, nil
		}
	}
	return 0, fmt.Errorf("%#x: %w", va, errNotMapped)
}

func (m *machine) access(gpa uint64, b []byte, op func(physical.Plane, uint64, []byte) error) error {
	if m.accepted != nil && !m.accepted[gpa&^pageMask] {
		return fmt.Errorf("%#x: %w", gpa, errPending)
	}
	return op(physical.Private, gpa, b)
}

// pages does something for each page that b touches.
func pages(at uint64, b []byte, do func(at uint64, b []byte) error) error {
	for len(b) > 0 {
		n := min(uint64(len(b)), pageSize-at&pageMask)
		if err := do(at, b[:n]); err != nil {
			return err
		}
		at, b = at+n, b[n:]
	}
	return nil
}

func (m *machine) virtual(va uint64, b []byte, op func(physical.Plane, uint64, []byte) error) error {
	return pages(va, b, func(va uint64, b []byte) error {
		gpa, err := m.translate(va)
		if err != nil {
			return err
		}
		return m.access(gpa, b, op)
	})
}

func (m *machine) physical(gpa uint64, b []byte, op func(physical.Plane, uint64, []byte) error) error {
	return pages(gpa, b, func(gpa uint64, b []byte) error { return m.access(gpa, b, op) })
}

func (m *machine) Translate(va uint64, _ bool) (uint64, error) { return m.translate(va) }
func (m *machine) ReadVirtual(va uint64, b []byte) error       { return m.virtual(va, b, m.ram.Read) }
func (m *machine) WriteVirtual(va uint64, b []byte) error      { return m.virtual(va, b, m.ram.Write) }
func (m *machine) ReadPhysical(gpa uint64, b []byte) error     { return m.physical(gpa, b, m.ram.Read) }
func (m *machine) WritePhysical(gpa uint64, b []byte) error    { return m.physical(gpa, b, m.ram.Write) }

// accept is the platform's way, for which accepting twice is fatal.
func (m *machine) accept(r accept.Range) error {
	for page := r.Start; page < r.End; page += pageSize {
		if m.accepted[page] {
			return fmt.Errorf("%#x is accepted twice", page)
		}
		m.accepted[page] = true
	}
	return nil
}

const initialRIP = 0x1_0000 // any address that is no entry point

func testACPI() acpi.Machine {
	return acpi.Machine{CPUs: 1, IOAPICAddress: 0xFEC00000, UARTs: []acpi.UART{{Port: 0x3F8, GSI: 4}}, SleepTypeS5: 5}
}

// newMachine boots firmware. Fields of cfg that are left out get values; change may change them.
func newMachine(t testing.TB, change func(*Config)) *machine {
	t.Helper()
	m := &machine{TB: t, patience: 1_000_000, functions: map[uint64]func(rcx, rdx uint64) uint64{}}
	cfg := Config{
		TotalMemory: 256 << 20, FirmwareAccepts: 64 << 20, ACPI: testACPI(),
		Image: testImage(nil), ImageName: "test.efi", Console: &m.console,
	}
	if change != nil {
		change(&cfg)
	}
	if cfg.Unaccepted {
		m.accepted, cfg.Accept = map[uint64]bool{}, m.accept
	}
	var err error
	ram := physical.RAM(cfg.TotalMemory)
	end := ram[len(ram)-1].End
	if cfg.Screen != nil {
		end = max(end, accept.Range{Start: cfg.Screen.FrameBuffer, End: cfg.Screen.FrameBuffer + cfg.Screen.Size()}.AlignOut(accept.UnitSize).End)
	}
	if m.ram, err = mem.New(end); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.ram.Close() })
	if m.Firmware, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	if err := m.boot(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// bootPointer and runtimePointer read the pointer to a service from the tables, as guests do.
func (m *machine) bootPointer(s uefi.BootService) uint64 {
	return m.word(m.word(m.systemTable+uefi.SystemTableBootServices) + uint64(s))
}

func (m *machine) runtimePointer(s uefi.RuntimeService) uint64 {
	return m.word(m.word(m.systemTable+uefi.SystemTableRuntimeServices) + uint64(s))
}

func (m *machine) boots(s uefi.BootService, args ...uint64) uefi.Status {
	m.Helper()
	return m.must(m.bootPointer(s), args...)
}

func (m *machine) runs(s uefi.RuntimeService, args ...uint64) uefi.Status {
	m.Helper()
	return m.must(m.runtimePointer(s), args...)
}

func (m *machine) must(function uint64, args ...uint64) uefi.Status {
	m.Helper()
	status, err := m.callAt(function, args...)
	if err != nil {
		m.Fatalf("the run ended: %v", err)
	}
	return uefi.Status(status)
}

// wants calls a boot service and compares its status.
func (m *machine) wants(want uefi.Status, s uefi.BootService, args ...uint64) {
	m.Helper()
	if got := m.boots(s, args...); got != want {
		m.Errorf("%v(%#x) = %v, want %v", s, args, got, want)
	}
}

// callAt calls a function in the guest and runs until it returns. What it pushes on the stack is gone afterwards.
func (m *machine) callAt(function uint64, args ...uint64) (uint64, error) {
	m.Helper()
	saved := m.gpr[rsp]
	defer func() { m.gpr[rsp] = saved }()
	back := initialRIP + 16*saved // tells nested calls apart
	if m.callSite != 0 {
		back = m.callSite
	}
	sp := saved - 8*uint64(len(args)) - 0x100
	sp = sp&^15 - 8
	m.gpr[rsp] = sp
	m.putWord(sp, back)
	for i, v := range args {
		if i < registerArgs {
			m.gpr[[...]int{rcx, rdx, r8, r9}[i]] = v
		} else {
			m.putWord(sp+8+8*uint64(i), v)
		}
	}
	m.rip = function
	if err := m.runUntil(back); err != nil {
		return 0, err
	}
	return m.gpr[rax], nil
}

func (m *machine) runUntil(back uint64) error {
	for m.rip != back {
		if m.steps++; m.steps > m.patience {
			return errLost
		}
		if fn := m.functions[m.rip]; fn != nil {
			sp := m.gpr[rsp]
			m.gpr[rax] = fn(m.gpr[rcx], m.gpr[rdx])
			if m.gpr[rsp] == sp { // not left by Exit
				m.rip = m.word(sp)
				m.gpr[rsp] += 8
			}
			continue
		}
		gpa, err := m.translate(m.rip)
		if err != nil || !m.Trap(gpa) {
			return fmt.Errorf("the guest is lost at %#x", m.rip)
		}
		if err := m.call(m, gpa); err != nil {
			return err
		}
	}
	return nil
}

// word, putWord and bytes look at guest memory from outside, without a platform in between.
func (m *machine) word(va uint64) uint64 {
	var b [8]byte
	m.peek(va, b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func (m *machine) putWord(va, v uint64) { m.poke(va, binary.LittleEndian.AppendUint64(nil, v)) }

func (m *machine) peek(va uint64, b []byte) {
	m.Helper()
	err := pages(va, b, func(va uint64, b []byte) error {
		gpa, err := m.translate(va)
		if err != nil {
			return err
		}
		return m.ram.Read(physical.Private, gpa, b)
	})
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) poke(va uint64, b []byte) {
	m.Helper()
	err := pages(va, b, func(va uint64, b []byte) error {
		gpa, err := m.translate(va)
		if err != nil {
			return err
		}
		return m.ram.Write(physical.Private, gpa, b)
	})
	if err != nil {
		m.Fatal(err)
	}
}

// alloc returns fresh pool memory with contents.
func (m *machine) alloc(b []byte) uint64 {
	m.Helper()
	at := m.gpr[rsp] - 0x80 // below the stack, above what callAt pushes
	m.wants(uefi.Success, uefi.BSAllocatePool, uint64(uefi.LoaderData), uint64(len(b)), at)
	p := m.word(at)
	m.poke(p, b)
	return p
}

// at puts b at an address and returns it.
func (m *machine) at(va uint64, b []byte) uint64 {
	m.Helper()
	m.poke(va, b)
	return va
}

// room returns n words of zeros.
func (m *machine) room(n int) uint64 { return m.alloc(make([]byte, 8*n)) }

func (m *machine) guid(g uefi.GUID) uint64 { return m.alloc(g[:]) }

func (m *machine) bytes(va uint64, n int) []byte {
	b := make([]byte, n)
	m.peek(va, b)
	return b
}

// memoryMap is what GetMemoryMap says, with the key.
func (m *machine) memoryMap() ([]uefi.MemoryDescriptor, uint64) {
	m.Helper()
	args := m.room(4)
	size, key, stride, version := args, args+8, args+16, args+24
	if s := m.boots(uefi.BSGetMemoryMap, size, 0, key, stride, version); s != uefi.BufferTooSmall {
		m.Fatalf("GetMemoryMap without a buffer: %v", s)
	}
	buffer := m.room(int(m.word(size)/8) + 64)
	m.putWord(size, m.word(size)+512)
	m.wants(uefi.Success, uefi.BSGetMemoryMap, size, buffer, key, stride, version)
	all, err := uefi.ParseMemoryMap(m.bytes(buffer, int(m.word(size))), m.word(stride))
	if err != nil {
		m.Fatal(err)
	}
	var list []uefi.MemoryDescriptor
	for d := range all.All() {
		list = append(list, d)
	}
	return list, m.word(key)
}
