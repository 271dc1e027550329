package device

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/tacit-vm/tacit/internal/state"
)

// Ports of QEMU's fw_cfg: a selector of two bytes, whose second port is that of the data, and an address of eight bytes, the
// highest first, whose second half starts a transfer (QEMU, docs/specs/fw_cfg.rst).
const (
	FWCfgPort  = 0x510
	fwCfgPorts = 12

	fwCfgAddress = 4 // from FWCfgPort on
)

// Keys of items (Linux, include/uapi/linux/qemu_fw_cfg.h).
const (
	fwCfgSignature   = 0x00
	fwCfgID          = 0x01
	fwCfgUUID        = 0x02
	fwCfgRAMSize     = 0x03
	fwCfgCPUs        = 0x05
	fwCfgKernelSize  = 0x08
	fwCfgInitrdSize  = 0x0B
	fwCfgMaxCPUs     = 0x0F
	fwCfgKernelData  = 0x11
	fwCfgInitrdData  = 0x12
	fwCfgCmdlineSize = 0x14
	fwCfgCmdlineData = 0x15
	fwCfgFileDir     = 0x19
	fwCfgFileFirst   = 0x20

	fwCfgNone  = 0xFFFF // a key without an item
	fwCfgWrite = 0x4000 // of a key: it is to be written to, which no item is

	fwCfgTraditional = 1 << 0 // of the ID: by ports
	fwCfgDMA         = 1 << 1
)

// A Program is what the machine was told to run, as fw_cfg tells it.
type Program struct {
	CPUs           int
	Memory         uint64 // bytes
	CommandLine    string
	Kernel, Initrd []byte
	Files          []File // in the order of their names
}

// A File is one of fw_cfg's directory. Its name has 55 bytes at most.
type File struct {
	Name string
	Data []byte
}

// A FWCfg tells programs of the machine they run in, as QEMU does: an item is selected by its key and read byte by byte, or
// into memory that the device can reach. Nothing can be written.
type FWCfg struct {
	items  map[uint16][]byte
	memory Memory // nil: no transfers
	key    uint16
	at     uint64 // bytes of the item that have been read
	high   uint32 // the upper half of the address of a transfer to come
}

// newFWCfg returns the device with what it tells.
func newFWCfg(p *Program, memory Memory) (*FWCfg, error) {
	little := binary.LittleEndian
	count := func(n int) []byte { return little.AppendUint16(nil, uint16(n)) }
	size := func(b []byte) []byte { return little.AppendUint32(nil, uint32(len(b))) }
	line := append([]byte(p.CommandLine), 0)
	features := uint32(fwCfgTraditional)
	if memory != nil {
		features |= fwCfgDMA
	}
	f := &FWCfg{key: fwCfgNone, memory: memory, items: map[uint16][]byte{
		fwCfgSignature: []byte("QEMU"), fwCfgID: little.AppendUint32(nil, features), fwCfgUUID: make([]byte, 16),
		fwCfgRAMSize: little.AppendUint64(nil, p.Memory), fwCfgCPUs: count(p.CPUs), fwCfgMaxCPUs: count(p.CPUs),
		fwCfgKernelSize: size(p.Kernel), fwCfgKernelData: p.Kernel, fwCfgInitrdSize: size(p.Initrd), fwCfgInitrdData: p.Initrd,
		fwCfgCmdlineSize: size(line), fwCfgCmdlineData: line,
	}}
	return f, f.publish(p.Files)
}

// publish makes the directory of files, and their items.
func (f *FWCfg) publish(files []File) error {
	big := binary.BigEndian
	directory := big.AppendUint32(nil, uint32(len(files)))
	for i, file := range files {
		var name [56]byte
		if copy(name[:len(name)-1], file.Name) != len(file.Name) {
			return fmt.Errorf("device: fw_cfg's file %q: the name has more than %d bytes", file.Name, len(name)-1)
		}
		key := uint16(fwCfgFileFirst + i)
		directory = append(big.AppendUint16(big.AppendUint32(directory, uint32(len(file.Data))), key), 0, 0)
		directory = append(directory, name[:]...)
		f.items[key] = file.Data
	}
	f.items[fwCfgFileDir] = directory
	return nil
}

// In implements PortDevice: the next byte of the item, zeros after its end. Either of the first two ports has it. The address
// reads as a signature.
func (f *FWCfg) In(offset uint16) uint8 {
	switch {
	case offset >= fwCfgAddress && f.memory != nil:
		return fwCfgAddressReads[offset-fwCfgAddress]
	case offset > 1:
		return 0xFF
	}
	item := f.items[f.key]
	if f.at >= uint64(len(item)) {
		return 0
	}
	f.at++
	return item[f.at-1]
}

// fwCfgAddressReads is what reading the address finds.
const fwCfgAddressReads = "QEMU CFG"

// InWide implements WidePortDevice: reads of items are of one byte, as QEMU has it; a wider one finds no device.
func (f *FWCfg) InWide(offset uint16, size int) uint32 {
	switch {
	case size == 1:
		return uint32(f.In(offset))
	case offset < fwCfgAddress || int(offset)+size > fwCfgPorts:
		return uint32(allOnes(size))
	}
	var value uint32
	for i := range size {
		value |= uint32(f.In(offset+uint16(i))) << (8 * i)
	}
	return value
}

// Out implements PortDevice: items cannot be written to.
func (f *FWCfg) Out(uint16, uint8) {}

// OutWide implements WidePortDevice: two bytes select an item, and four are half of an address.
func (f *FWCfg) OutWide(offset uint16, size int, value uint32) {
	switch {
	case offset == 0 && size == 2:
		f.choose(uint16(value))
	case offset == fwCfgAddress && size == 4:
		f.high = bits.ReverseBytes32(value)
	case offset == fwCfgAddress+4 && size == 4:
		at := uint64(f.high)<<32 | uint64(bits.ReverseBytes32(value))
		f.high = 0
		f.transfer(at)
	}
}

// choose selects an item, from its beginning.
func (f *FWCfg) choose(key uint16) { f.key, f.at = key&^fwCfgWrite, 0 }

func (f *FWCfg) carry(s *state.Stream) {
	state.Numbers(s, &f.key)
	state.Numbers(s, &f.at)
	state.Numbers(s, &f.high)
}
