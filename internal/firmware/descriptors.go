package firmware

import (
	"fmt"

	"encoding/binary"
)

// Where the processor's descriptor tables lie in their page.
const (
	offGDT  = 0
	offIDT  = 0x100
	gdtSize = 8 * 4
	idtSize = 16 * exceptions
)

// Selectors: those that Linux's 64-bit boot protocol wants (Documentation/arch/x86/boot.rst), so that a loader which
// jumps to a kernel directly finds them as well.
const (
	codeSelector = 0x10
	dataSelector = 0x18
)

// exceptions is how many vectors the processor itself uses (Intel SDM vol. 3, table 6-1).
const (
	exceptions = 32
	vectorPF   = 14
)

// hasErrorCode are the exceptions that push one: #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX.
const hasErrorCode = 1<<8 | 1<<10 | 1<<11 | 1<<12 | 1<<13 | 1<<14 | 1<<17 | 1<<21 | 1<<29 | 1<<30

// flagIF is RFLAGS.IF.
const flagIF = 1 << 9

// descriptorTables returns the page with the GDT and the IDT. Each exception leads to an entry point of its own in the
// trap page.
func descriptorTables(trap uint64) []byte {
	const (
		code = 0x00AF_9B00_0000_FFFF // 64-bit, execute and read, accessed, present (Intel SDM vol. 3, 3.4.5)
		data = 0x00CF_9300_0000_FFFF // read and write, accessed, present, 4 GiB

		interruptGate = 0x8E << 40 // present, DPL 0, type 14 (Intel SDM vol. 3, 6.14.1)
	)
	b := make([]byte, pageSize)
	put64(b[offGDT+codeSelector:], code)
	put64(b[offGDT+dataSelector:], data)
	for v := range uint64(exceptions) {
		handler := trap + (slotException+v)*entrySize
		gate := b[offIDT+16*v:]
		put64(gate, handler&0xFFFF|codeSelector<<16|interruptGate|handler>>16&0xFFFF<<48)
		put64(gate[8:], handler>>32)
	}
	return b
}

// exception is where the processor goes when the image, or an operating system that has no table of its own yet, raises
// one. What the platform's part of firmware can do about it is done; the rest is the end.
func (f *Firmware) exception(slot uint64) error {
	vector := slot - slotException
	if !f.cpu.Long() {
		return f.exception32(vector)
	}
	var b [6 * 8]byte // error code, RIP, CS, RFLAGS, RSP, SS
	frame := b[8:]
	if hasErrorCode>>vector&1 != 0 {
		frame = b[:]
	}
	if err := f.cpu.ReadVirtual(f.cpu.GPR()[rsp], frame); err != nil {
		return fmt.Errorf("exception %d without a stack: %w", vector, err)
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	fault := &Fault{Vector: uint8(vector), Code: word(0), RIP: word(1)}
	if f.cfg.Exception != nil {
		if length, ok := f.cfg.Exception(fault.Vector, fault.Code, fault.RIP); ok {
			f.cpu.GPR()[rsp] = word(4)
			f.cpu.SetFlags(word(3))
			f.cpu.SetRIP(fault.RIP + length)
			return nil
		}
	}
	if vector == vectorPF {
		fault.Address = f.cpu.CR2()
	}
	fault.Image = f.imageAt(fault.RIP)
	return fault
}

// exception32 is where an exception leads in 32-bit mode, when a loader has left long mode and not its interrupt table: a gate
// has 8 bytes there, so that of an even vector is the first half of a gate of this table. The handler to which it leads is
// 64-bit code, which firmware on silicon would die in.
func (f *Firmware) exception32(slot uint64) error {
	vector := 2 * slot
	var b [4 * 4]byte // error code, EIP, CS, EFLAGS
	frame := b[4:]
	if hasErrorCode>>vector&1 != 0 {
		frame = b[:]
	}
	if err := f.cpu.ReadVirtual(f.cpu.GPR()[rsp]&0xFFFF_FFFF, frame); err != nil {
		return fmt.Errorf("exception %d without a stack: %w", vector, err)
	}
	word := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(b[4*i:])) }
	return &Fault{Vector: uint8(vector), Code: word(0), RIP: word(1), Image: f.imageAt(word(1)), Protected: true}
}
