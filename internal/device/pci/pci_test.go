package pci

import (
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

type clock struct{}

func (clock) Now() int64 { return 0 }

// apics note what was delivered.
type apics struct{ got []message }

type message struct {
	dest    uint32
	logical bool
	vector  uint8
}

func (a *apics) Deliver(dest uint32, logical bool, vector uint8, _ uint8, _ bool) {
	a.got = append(a.got, message{dest, logical, vector})
}

// notes are registers that note where they were written.
type notes struct{ last uint64 }

func (n *notes) Read(offset uint64, _ int) uint64     { return offset }
func (n *notes) Write(offset uint64, _ int, _ uint64) { n.last = offset }

const (
	slot       = 3
	identity   = 0x1234_5678
	resetPort  = 0xCF9
	configData = 0xCFC
)

func newBoard(t testing.TB) (board *device.Board, f *Function, n *notes, a *apics) {
	t.Helper()
	a, n = &apics{}, &notes{}
	board, err := device.NewBoard(device.Config{Clock: clock{}, PowerOff: func() {}, Reset: func() {}, LocalAPICs: a})
	if err != nil {
		t.Fatal(err)
	}
	bus, err := NewBus(board)
	if err != nil {
		t.Fatal(err)
	}
	f = NewFunction(Identity{Vendor: identity & 0xFFFF, Device: identity >> 16, Class: 0x010203}, n, 2, a)
	if err := bus.Add(slot, f); err != nil {
		t.Fatal(err)
	}
	if bus.Add(slot, f) == nil || bus.Add(Slots, f) == nil || bus.Add(-1, f) == nil {
		t.Error("there is room where there is none")
	}
	return board, f, n, a
}

const ecamOf = ECAMBase + slot<<15

// Configuration space reads the same by ports and by memory; where there is no function it reads as ones.
func TestConfigurationSpace(t *testing.T) {
	b, _, _, _ := newBoard(t)
	for offset := uint32(0); offset < configSize; offset += 4 {
		b.Out(addressPort, 4, addressEnable|slot<<11|offset)
		if io, memory := b.In(configData, 4), uint32(b.Read(uint64(ecamOf+offset), 4)); io != memory {
			t.Errorf("register %#x: %#x by ports, %#x by memory", offset, io, memory)
		}
	}
	if v := b.Read(ecamOf, 4); v != identity {
		t.Errorf("identity %#x", v)
	}
	if v := b.Read(ecamOf+1, 2); v != 0x3456 {
		t.Errorf("two bytes from 1 on: %#x", v)
	}
	for what, v := range map[string]uint64{
		"an empty slot": b.Read(ECAMBase+5<<15, 4), "another function": b.Read(ecamOf|1<<12, 4), "extended space": b.Read(ecamOf+256, 4),
	} {
		if v != 0xFFFF_FFFF {
			t.Errorf("%s reads %#x", what, v)
		}
	}
	for _, address := range []uint32{slot << 11, addressEnable | 1<<16 | slot<<11} { // not enabled; another bus
		b.Out(addressPort, 4, address)
		if v := b.In(configData, 4); v != 0xFFFF_FFFF {
			t.Errorf("address %#x reads %#x", address, v)
		}
	}
}

// The reset register is a byte within CONFIG_ADDRESS: accesses of other sizes than 4 bytes do not change the address.
func TestAddressIsADoubleWord(t *testing.T) {
	b, _, _, _ := newBoard(t)
	b.Out(addressPort, 4, addressEnable|slot<<11)
	b.Out(addressPort, 1, 0xFF)
	b.Out(addressPort, 2, 0xFFFF)
	b.Out(resetPort, 1, 2)
	if v := b.In(addressPort, 4); v != addressEnable|slot<<11 {
		t.Errorf("CONFIG_ADDRESS %#x", v)
	}
	if v := b.In(configData+2, 2); v != identity>>16 {
		t.Errorf("the upper half of the identity: %#x", v)
	}
}

// A BAR says how large it is, moves, and is decoded where the command register says so.
func TestBAR(t *testing.T) {
	b, _, n, _ := newBoard(t)
	const bar, command = ecamOf + regBAR0, ecamOf + regCommand
	at := b.Read(bar, 4)
	if at < WindowBase || b.Read(at+0x10, 4) != 0x10 {
		t.Fatalf("the BAR is at %#x, and reads %#x", at, b.Read(at+0x10, 4))
	}
	b.Write(bar, 4, 0xFFFF_FFFF)
	if v := b.Read(bar, 4); v != 0xFFFF_8000 {
		t.Errorf("a BAR of size mask %#x", v)
	}
	const moved = WindowBase + 0x80_0000
	b.Write(bar, 4, moved)
	b.Write(moved+0x123, 1, 0)
	if n.last != 0x123 || b.Read(at+0x10, 4) != 0xFFFF_FFFF {
		t.Errorf("moved: a write at %#x, and where it was there is %#x", n.last, b.Read(at+0x10, 4))
	}
	b.Write(command, 2, 0)
	if v := b.Read(moved, 4); v != 0xFFFF_FFFF {
		t.Errorf("not decoded: %#x", v)
	}
}

// A message goes to the processor that its address names. What is masked waits and is sent once.
func TestMSIX(t *testing.T) {
	b, f, _, a := newBoard(t)
	table := b.Read(ecamOf+regBAR0, 4) + msixTable
	control := uint64(ecamOf + f.msix.control)
	f.Interrupt(0)
	if len(a.got) != 0 {
		t.Error("an interrupt without MSI-X")
	}
	b.Write(ecamOf+regCommand, 2, commandMemory|commandMaster)
	b.Write(control, 2, msixEnable)
	b.Write(table+16, 8, 0xFEE0_5004)
	b.Write(table+24, 4, 0x55)
	f.Interrupt(1)
	f.Interrupt(1)
	if pending := b.Read(table-msixTable+msixPending, 8); len(a.got) != 0 || pending != 2 {
		t.Errorf("masked: %v, pending %#x", a.got, pending)
	}
	b.Write(table+28, 4, 0)
	if len(a.got) != 1 || a.got[0] != (message{5, true, 0x55}) {
		t.Errorf("unmasked: %v", a.got)
	}
	b.Write(control, 2, msixEnable|msixMask)
	f.Interrupt(1)
	if len(a.got) != 1 {
		t.Error("sent although the function is masked")
	}
	b.Write(ecamOf+regCommand, 2, commandMemory)
	b.Write(control, 2, msixEnable)
	if len(a.got) != 1 {
		t.Error("sent by a function that is no bus master")
	}
	b.Write(ecamOf+regCommand, 2, commandMemory|commandMaster)
	if len(a.got) != 2 {
		t.Errorf("what waited was sent %d times", len(a.got)-1)
	}
	b.Write(table+16, 4, 0xFEE0_5000&0xDFFF_FFFF) // which is no local APIC's
	f.Interrupt(1)
	f.Interrupt(7)
	if len(a.got) != 2 {
		t.Errorf("a message to memory interrupts: %v", a.got)
	}
}

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Function { return &Function{} }, (*Function).carry,
		"writable", "registers", "apics", "msix.control", "msix.count", "free", "last", "hooks")
	statetest.Complete(t, func() *Bus { return &Bus{} }, (*Bus).Carry, "slots", "window", "bare")
}

// A guest does anything at all with ports and memory of the bus.
func TestAnyAccess(t *testing.T) {
	const seed = 20261129
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b, f, _, _ := newBoard(t)
	sizes := []int{1, 2, 4, 8}
	for range 200_000 {
		size, value := sizes[random.IntN(4)], random.Uint64()
		gpa := uint64(ECAMBase) + random.Uint64N(ECAMSize)
		switch random.IntN(6) {
		case 0:
			gpa = ecamOf + random.Uint64N(configSize)
		case 1:
			gpa = b.Read(ecamOf+regBAR0, 4) + random.Uint64N(barSize)
		case 2:
			b.Out(addressPort+uint16(random.IntN(8)), size&7, uint32(value))
			b.In(addressPort+uint16(random.IntN(8)), size&7)
			continue
		case 3:
			f.Interrupt(uint16(random.IntN(4)))
		}
		b.Read(gpa, size)
		b.Write(gpa, size, value)
	}
	s := state.Out()
	f.carry(s)
	in := state.In(s.Bytes())
	if f.carry(in); in.End() != nil {
		t.Error(in.End())
	}
}

// EDK2 knows a q35 by the identities of its bridges, finds its registers as it left them, and places what is on the bus itself.
func TestQ35(t *testing.T) {
	board, err := device.NewBoard(device.Config{Clock: clock{}, PowerOff: func() {}, Reset: func() {}, LocalAPICs: &apics{}})
	if err != nil {
		t.Fatal(err)
	}
	bus, err := NewQ35(board)
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Add(slot, NewFunction(Identity{Vendor: identity & 0xFFFF, Device: identity >> 16}, &notes{}, 0, nil)); err != nil {
		t.Fatal(err)
	}
	register := func(slot, offset uint32) { board.Out(addressPort, 4, addressEnable|slot<<11|offset) }
	register(0, 0)
	if v := board.In(configData, 4); v != 0x29C0_8086 {
		t.Errorf("the host bridge is %#x", v)
	}
	const pmbase, lpc = 0x40, SlotLPC
	register(lpc, 8)
	if v := board.In(configData, 4); v>>8 != 0x060100 {
		t.Errorf("slot %d has class %#x", lpc, v>>8)
	}
	register(lpc, pmbase)
	board.Out(configData, 4, 0xFFFF_0600)
	if v := board.In(configData, 4); v != 0x601 {
		t.Errorf("PMBASE is %#x", v)
	}
	const at = Q35WindowBase + 0x10_0000
	if v := board.Read(ecamOf+regBAR0, 4); v != 0 {
		t.Errorf("a BAR is placed at %#x after reset", v)
	}
	board.Write(ecamOf+regBAR0, 4, at)
	if v := board.Read(at+8, 4); v != 0xFFFF_FFFF {
		t.Errorf("a BAR that is not decoded reads %#x", v)
	}
	board.Write(ecamOf+regCommand, 2, commandMemory)
	if v := board.Read(at+8, 4); v != 8 {
		t.Errorf("where the BAR was placed there is %#x", v)
	}
}
