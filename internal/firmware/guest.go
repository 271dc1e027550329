package firmware

import (
	"encoding/binary"
	"unicode/utf16"

	"github.com/tacit-vm/tacit/uefi"
)

// This file reaches guest memory: through pointers that the guest passed, which are guest-virtual and lead anywhere,
// and by guest-physical address for what is firmware's own.

// read and write go through a guest's pointer. A null pointer and one that is not mapped are EFI_INVALID_PARAMETER; on
// silicon the first would often work and the second would be the end of firmware. What the platform refuses ends the
// run.
func (f *Firmware) read(va uint64, b []byte) error {
	if va == 0 {
		return invalidParameter
	}
	f.touch(len(b))
	return f.pointer(f.cpu.ReadVirtual(va, b))
}

func (f *Firmware) write(va uint64, b []byte) error {
	if va == 0 {
		return invalidParameter
	}
	f.touch(len(b))
	return f.pointer(f.cpu.WriteVirtual(va, b))
}

func (f *Firmware) pointer(err error) error {
	if err != nil && f.cpu.Unmapped(err) {
		return invalidParameter
	}
	return err
}

func (f *Firmware) load64(va uint64) (uint64, error) {
	var b [8]byte
	err := f.read(va, b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

func (f *Firmware) store64(va, v uint64) error {
	return f.write(va, binary.LittleEndian.AppendUint64(nil, v))
}

func (f *Firmware) store32(va uint64, v uint32) error {
	return f.write(va, binary.LittleEndian.AppendUint32(nil, v))
}

func (f *Firmware) loadGUID(va uint64) (g uefi.GUID, err error) {
	err = f.read(va, g[:])
	return g, err
}

// loadString reads a string of 16-bit characters up to its terminating zero, which must come within limit characters.
func (f *Firmware) loadString(va uint64, limit int) ([]uint16, error) {
	var s []uint16
	for len(s) < limit {
		// Not beyond the page, which may be the last that is mapped, but for a character that lies in two.
		b := make([]byte, max(min(pageSize-va&pageMask, uint64(limit-len(s))*2)&^1, 2))
		if err := f.read(va, b); err != nil {
			return nil, err
		}
		for i := 0; i < len(b); i += 2 {
			c := binary.LittleEndian.Uint16(b[i:])
			if c == 0 {
				return s, nil
			}
			s = append(s, c)
		}
		va += uint64(len(b))
	}
	return nil, invalidParameter
}

// terminated returns a string of 16-bit characters as it lies in memory, with its terminating zero.
func terminated(s []uint16) []byte {
	var b []byte
	for _, c := range s {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return append(b, 0, 0)
}

func wide(text string) []byte { return terminated(utf16.Encode([]rune(text))) }

func narrow(s []uint16) string { return string(utf16.Decode(s)) }

// put and get are for firmware's own memory, by guest-physical address.
func (f *Firmware) put(gpa uint64, b []byte) error {
	f.touch(len(b))
	return f.cpu.WritePhysical(gpa|f.cfg.PrivateBit, b)
}

func (f *Firmware) get(gpa uint64, b []byte) error {
	f.touch(len(b))
	return f.cpu.ReadPhysical(gpa|f.cfg.PrivateBit, b)
}

func (f *Firmware) put64(gpa, v uint64) error {
	return f.put(gpa, binary.LittleEndian.AppendUint64(nil, v))
}

// putPool copies b to newly allocated pool memory.
func (f *Firmware) putPool(kind uefi.MemoryType, b []byte) (uint64, error) {
	at, err := f.takePool(kind, uint64(len(b)))
	if err != nil {
		return 0, err
	}
	return at, f.put(at, b)
}

func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
func put64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
func get64(b []byte) uint64    { return binary.LittleEndian.Uint64(b) }
