package device

import "github.com/tacit-vm/tacit/internal/state"

// FlashBlock is how much of a flash chip is erased at once, in bytes: QEMU's for the chips that hold firmware
// (hw/i386/pc_sysfw.c, FLASH_SECTOR_SIZE).
const FlashBlock = 4096

// Commands of a flash chip that understands Intel's (JEDEC JEP137, command set 0x0001), as far as firmware uses them.
const (
	flashProgram  = 0x10 // the next write is of a byte
	flashErase    = 0x20 // the next write is flashConfirm
	flashProgram2 = 0x40 // as flashProgram
	flashClear    = 0x50
	flashStatus   = 0x70
	flashConfirm  = 0xD0
	flashArray    = 0xFF

	flashReady = 1 << 7 // of the status register
)

// Flash is the part of a flash chip that firmware in the guest writes its variables to. It reads as memory until a command
// has it show its status. It follows QEMU's chip (hw/block/pflash_cfi01.c) in that a byte that is programmed is stored as it
// is, where NOR cells only lose bits, and in that clearing the status clears the bit that says ready, by which EDK2 knows the chip
// (OvmfPkg/QemuFlashFvbServicesRuntimeDxe/QemuFlash.c).
type Flash struct {
	bytes   []byte // whole blocks
	command uint8  // the one under way; flashArray: it reads as memory
	status  uint8
}

// NewFlash returns a chip that holds a copy of content, of whole blocks.
func NewFlash(content []byte) *Flash {
	return &Flash{bytes: append([]byte(nil), content...), command: flashArray, status: flashReady}
}

// Read implements MemoryDevice.
func (f *Flash) Read(offset uint64, size int) uint64 {
	if f.command != flashArray {
		return uint64(f.status)
	}
	var value uint64
	for i := range size {
		value |= uint64(f.bytes[offset+uint64(i)]) << (8 * i)
	}
	return value
}

// Write implements MemoryDevice. A command that the chip does not know has it read as memory again.
func (f *Flash) Write(offset uint64, size int, value uint64) {
	switch f.command {
	case flashProgram, flashProgram2:
		for i := range size {
			f.bytes[offset+uint64(i)] = byte(value >> (8 * i))
		}
		f.command, f.status = flashStatus, f.status|flashReady
		return
	case flashErase:
		if byte(value) == flashConfirm {
			block := f.bytes[offset&^(FlashBlock-1):][:FlashBlock]
			for i := range block {
				block[i] = 0xFF
			}
			f.command, f.status = flashStatus, f.status|flashReady
			return
		}
	}
	switch command := byte(value); command {
	case flashProgram, flashProgram2, flashErase, flashStatus:
		f.command = command
	case flashClear:
		f.command, f.status = flashArray, 0
	default:
		f.command = flashArray
	}
}

// Carry carries the chip's state. One that reads has to be as long.
func (f *Flash) Carry(s *state.Stream) {
	s.Raw(f.bytes)
	state.Numbers(s, &f.command, &f.status)
}
