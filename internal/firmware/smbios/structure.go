package smbios

import (
	"encoding/binary"
	"strconv"
)

// A structure is one entry of the table: fields at fixed places, the first four bytes a header, and strings after them, to which
// fields refer by their numbers, counted from 1.
type structure struct {
	b       []byte
	strings []string
}

// newStructure returns a structure of a type whose fields take size bytes.
func newStructure(kind byte, handle uint16, size int) *structure {
	s := &structure{b: make([]byte, size)}
	s.b[0], s.b[1] = kind, byte(size)
	s.put16(2, handle)
	return s
}

// text has the field at an offset name a string.
func (s *structure) text(at int, text string) {
	s.strings = append(s.strings, text)
	s.b[at] = byte(len(s.strings))
}

func (s *structure) put16(at int, v uint16) { binary.LittleEndian.PutUint16(s.b[at:], v) }
func (s *structure) put32(at int, v uint32) { binary.LittleEndian.PutUint32(s.b[at:], v) }
func (s *structure) put64(at int, v uint64) { binary.LittleEndian.PutUint64(s.b[at:], v) }

// bytes returns the structure as it lies in memory: its strings end with a zero each, and all of them with one more. Where
// there are none, there are two zeros.
func (s *structure) bytes() []byte {
	b := s.b
	for _, text := range s.strings {
		b = append(append(b, text...), 0)
	}
	if len(s.strings) == 0 {
		b = append(b, 0)
	}
	return append(b, 0)
}

func decimal(i uint16) string { return strconv.Itoa(int(i)) }
