// Package smbios writes the SMBIOS structures of a virtual machine (DMTF DSP0134, System Management BIOS Reference
// Specification, 3.6): those that the specification requires of every system and that have something to say here. They are a
// function of [Machine] and of the address that they go to.
package smbios

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// A Machine is what the structures tell the operating system.
type Machine struct {
	Sockets, Cores, Threads int // packages, cores in each, threads in each core

	RAM  []Range // where memory is, ascending
	Seed uint64  // of the system's UUID
}

// A Range is guest-physical memory, from Start up to but not including End, in bytes.
type Range struct{ Start, End uint64 }

// entryPointSize is how many bytes the entry point has, which is the first thing in [Machine.Tables].
const entryPointSize = 24

// What the structures call the machine.
const (
	vendor  = "tacit"
	product = "virtual machine"
	version = "1"
	date    = "01/01/2025" // a BIOS has one, of the form mm/dd/yyyy
)

// Types of structures, and handles by which they refer to each other.
const (
	typeFirmware  = 0
	typeSystem    = 1
	typeChassis   = 3
	typeProcessor = 4
	typeArray     = 16
	typeDevice    = 17
	typeMapped    = 19
	typeBoot      = 32
	typeEnd       = 127

	handleProcessors = 0x400
	handleArray      = 0x1000
	handleMapped     = 0x1300
	noHandle         = 0xFFFE // there is no error information
)

// Tables returns the entry point and the structures that it leads to as one block, which is to lie at the guest-physical address
// base, a multiple of 16.
func (m *Machine) Tables(base uint64) []byte {
	b := make([]byte, entryPointSize)
	for _, s := range m.structures() {
		b = append(b, s.bytes()...)
	}
	le := binary.LittleEndian
	copy(b, "_SM3_")
	b[6] = entryPointSize
	b[7], b[8] = 3, 6 // the specification's version
	b[10] = 1         // of the entry point
	le.PutUint32(b[12:], uint32(len(b)-entryPointSize))
	le.PutUint64(b[16:], base+entryPointSize)
	var sum byte
	for _, v := range b[:entryPointSize] {
		sum += v
	}
	b[5] = -sum
	return b
}

func (m *Machine) structures() []*structure {
	all := []*structure{firmware(), m.system(), chassis()}
	for i := range m.Sockets {
		all = append(all, m.processor(uint16(i)))
	}
	all = append(all, m.array(), m.device())
	for i, r := range m.RAM {
		all = append(all, mapped(uint16(i), r))
	}
	boot := newStructure(typeBoot, 0x2000, 11) // no errors were detected
	return append(all, boot, newStructure(typeEnd, 0x7F00, 4))
}

// firmware is a virtual machine's UEFI.
func firmware() *structure {
	s := newStructure(typeFirmware, 0, 26)
	s.text(4, vendor)
	s.text(5, version)
	s.text(8, date)
	s.put64(10, 1<<3)             // no characteristics of a PC's BIOS
	s.b[19] = 1<<2 | 1<<3 | 1<<4  // targeted content, UEFI, a virtual machine
	s.b[20], s.b[21] = 1, 0       // the release
	s.b[22], s.b[23] = 0xFF, 0xFF // no embedded controller
	return s
}

// system is the machine. Its UUID follows from the seed, with the version and variant of one that is made of something
// (RFC 9562, version 8).
func (m *Machine) system() *structure {
	s := newStructure(typeSystem, 0x100, 27)
	s.text(4, vendor)
	s.text(5, product)
	s.text(6, version)
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("system UUID "), m.Seed))
	copy(s.b[8:24], sum[:])
	s.b[15] = s.b[15]&0x0F | 0x80 // the third field is little-endian: its upper byte is the second
	s.b[16] = s.b[16]&0x3F | 0x80
	s.b[24] = 6 // woken up by a power switch
	return s
}

func chassis() *structure {
	s := newStructure(typeChassis, 0x300, 21)
	s.text(4, vendor)
	s.b[5] = 1                          // of another type
	s.b[9], s.b[10], s.b[11] = 3, 3, 3  // everything is safe
	s.b[12] = 2                         // its security is unknown
	s.b[17], s.b[18], s.b[19] = 0, 0, 0 // height, power cords, contained elements
	return s
}

// processor is a package.
func (m *Machine) processor(i uint16) *structure {
	s := newStructure(typeProcessor, handleProcessors+i, 48)
	s.text(4, "CPU "+decimal(i))
	s.b[5] = 3     // a central processor
	s.b[6] = 1     // of another family: CPUID says which
	s.b[24] = 0x41 // populated, enabled
	s.b[25] = 1    // another way to upgrade it
	for _, cache := range []int{26, 28, 30} {
		s.put16(cache, 0xFFFF) // not described
	}
	for j, n := range []int{m.Cores, m.Cores, m.Cores * m.Threads} {
		s.b[35+j] = byte(min(n, 0xFF))
		s.put16(42+2*j, uint16(min(n, 0xFFFE)))
	}
	s.put16(38, 1<<2) // 64-bit
	s.put16(40, 1)    // the family again
	return s
}

// array is the place where all memory is.
func (m *Machine) array() *structure {
	s := newStructure(typeArray, handleArray, 23)
	s.b[4] = 1 // elsewhere than on a board
	s.b[5] = 3 // system memory
	s.b[6] = 3 // no error correction
	s.put32(7, 0x8000_0000)
	s.put16(11, noHandle)
	s.put16(13, 1)
	s.put64(15, m.total())
	return s
}

// device is all memory as one device.
func (m *Machine) device() *structure {
	s := newStructure(typeDevice, handleArray+0x100, 40)
	s.put16(4, handleArray)
	s.put16(6, noHandle)
	s.put16(8, 0xFFFF)
	s.put16(10, 0xFFFF)
	const extended = 0x7FFF
	megabytes := m.total() >> 20
	s.put16(12, uint16(min(megabytes, extended)))
	if megabytes >= extended {
		s.put32(28, uint32(min(megabytes, math.MaxInt32)))
	}
	s.b[14] = 9 // a DIMM
	s.text(16, "DIMM 0")
	s.b[18] = 7       // RAM
	s.put16(19, 1<<1) // of another kind
	s.text(23, vendor)
	return s
}

// mapped is where a stretch of memory is.
func mapped(i uint16, r Range) *structure {
	s := newStructure(typeMapped, handleMapped+i, 31)
	s.put32(4, math.MaxUint32) // the addresses are the extended ones, in bytes
	s.put32(8, math.MaxUint32)
	s.put16(12, handleArray)
	s.b[14] = 1
	s.put64(15, r.Start)
	s.put64(23, r.End-1)
	return s
}

func (m *Machine) total() (n uint64) {
	for _, r := range m.RAM {
		n += r.End - r.Start
	}
	return n
}
