package pci

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/state"
)

// An Identity says what a function is (PCI 3.0, 6.2.1).
type Identity struct {
	Vendor, Device                   uint16
	SubsystemVendor, SubsystemDevice uint16
	Class                            uint32 // base class, subclass, interface: 24 bits
	Revision                         uint8
}

// Registers of configuration space (PCI 3.0, 6.1) and bits of the command register.
const (
	regVendor       = 0x00
	regDevice       = 0x02
	regCommand      = 0x04
	regStatus       = 0x06
	regRevision     = 0x08
	regBAR0         = 0x10
	regSubsystem    = 0x2C
	regCapabilities = 0x34

	commandPorts       = 1 << 0
	commandMemory      = 1 << 1
	commandMaster      = 1 << 2
	commandNoINTx      = 1 << 10
	statusCapabilities = 1 << 4

	configSize      = 256
	firstCapability = 0x40
)

// barSize is how many bytes of memory a function's registers have. The last of its pages is that of the MSI-X table.
const (
	barSize = 0x8000

	msixTable   = 0x7000
	msixPending = 0x7800
)

// A Function is one of a device: its configuration space, and what stands between the bus and its registers.
type Function struct {
	config   [configSize]byte
	writable [configSize]byte // bits that a guest may change

	registers device.MemoryDevice // in the BAR below the MSI-X table; nil where there is no BAR
	apics     device.LocalAPICs
	msix      msix
	free      int             // where the next capability goes
	last      int             // the byte that is to point there
	hooks     map[uint32]Hook // by offset in configuration space; no state
}

// A Hook is called for accesses of configuration space at an offset: before one that reads, and after one that writes.
type Hook func(write bool, size int)

// NewFunction makes a function with registers in a BAR, and with as many interrupts, at most 64; nil and 0 for none.
func NewFunction(id Identity, registers device.MemoryDevice, interrupts int, apics device.LocalAPICs) *Function {
	f := &Function{registers: registers, apics: apics, free: firstCapability, last: regCapabilities, hooks: map[uint32]Hook{}}
	le := binary.LittleEndian
	le.PutUint16(f.config[regVendor:], id.Vendor)
	le.PutUint16(f.config[regDevice:], id.Device)
	le.PutUint32(f.config[regRevision:], id.Class<<8|uint32(id.Revision))
	le.PutUint16(f.config[regSubsystem:], id.SubsystemVendor)
	le.PutUint16(f.config[regSubsystem+2:], id.SubsystemDevice)
	if registers != nil {
		le.PutUint32(f.writable[regBAR0:], ^uint32(barSize-1))
		le.PutUint16(f.writable[regCommand:], commandMemory|commandMaster|commandNoINTx)
	}
	if interrupts > 0 {
		f.addMSIX(interrupts)
	}
	return f
}

// place gives the BAR its first address and has it decoded, as firmware does.
func (f *Function) place(address uint32) {
	binary.LittleEndian.PutUint32(f.config[regBAR0:], address)
	f.config[regCommand] |= commandMemory
}

// AddCapability appends a capability: its identifier and what comes after the pointer to the next. It returns the offset of
// the capability in configuration space. Writable has a bit for each that a guest may change, and may be shorter.
func (f *Function) AddCapability(id uint8, body, writable []byte) (offset uint32) {
	at := f.free
	f.config[f.last] = byte(at)
	f.config[at] = id
	copy(f.config[at+2:], body)
	copy(f.writable[at+2:], writable)
	f.last, f.free = at+1, (at+2+len(body)+3)&^3
	f.config[regStatus] |= statusCapabilities
	return uint32(at)
}

// OnConfig has hook hear of accesses that begin within 4 bytes at offset.
func (f *Function) OnConfig(offset uint32, hook Hook) { f.hooks[offset] = hook }

// Config is the function's configuration space, for a hook.
func (f *Function) Config(offset uint32) []byte { return f.config[offset:] }

// Access makes an access to the function's registers that does not come by its BAR.
func (f *Function) Access() device.MemoryDevice { return registersOf{f} }

type registersOf struct{ *Function }

func (r registersOf) Read(offset uint64, size int) uint64 {
	if offset > barSize-uint64(size) {
		return ^uint64(0)
	}
	return r.read(offset, size)
}

func (r registersOf) Write(offset uint64, size int, value uint64) {
	if offset <= barSize-uint64(size) {
		r.write(offset, size, value)
	}
}

// Master says whether the function may reach memory and send interrupts.
func (f *Function) Master() bool { return f.config[regCommand]&commandMaster != 0 }

func (f *Function) readConfig(offset uint32, size int) uint32 {
	if offset+uint32(size) > configSize {
		return 0xFFFF_FFFF
	}
	if hook := f.hooks[offset&^3]; hook != nil {
		hook(false, size)
	}
	value := uint32(0)
	for i := range uint32(size) {
		value |= uint32(f.config[offset+i]) << (8 * i)
	}
	return value
}

func (f *Function) writeConfig(offset uint32, size int, value uint32) {
	if offset+uint32(size) > configSize {
		return
	}
	for i := range uint32(size) {
		may := f.writable[offset+i]
		f.config[offset+i] = f.config[offset+i]&^may | byte(value>>(8*i))&may
	}
	if hook := f.hooks[offset&^3]; hook != nil {
		hook(true, size)
	}
	f.settle()
}

// decodes says whether an access is for the function's BAR, and where in it.
func (f *Function) decodes(gpa uint64, size int) (offset uint64, ok bool) {
	if f.registers == nil || f.config[regCommand]&commandMemory == 0 {
		return 0, false
	}
	base := uint64(binary.LittleEndian.Uint32(f.config[regBAR0:]))
	return gpa - base, gpa >= base && gpa-base <= barSize-uint64(size)
}

func (f *Function) read(offset uint64, size int) uint64 {
	if offset >= msixTable {
		return f.msix.read(offset, size)
	}
	return f.registers.Read(offset, size)
}

func (f *Function) write(offset uint64, size int, value uint64) {
	if offset < msixTable {
		f.registers.Write(offset, size, value)
		return
	}
	f.msix.write(offset, size, value)
	f.settle()
}

func (f *Function) carry(s *state.Stream) {
	state.Array(s, f.config[:])
	state.Array(s, f.msix.table[:])
	state.Numbers(s, &f.msix.pending)
}
