package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// BTF is what a kernel says of its own types (CONFIG_DEBUG_INFO_BTF, which distributions have; Linux:
// Documentation/bpf/btf.rst). It is asked where in a structure a member is, which differs between kernels, and between
// configurations of one.
type BTF struct {
	types   []byte
	strings []byte
	at      []uint32 // of each type, by its number, in types; number 0 is void
}

const (
	btfMagic   = 0xEB9F
	btfHeader  = 24
	maxBTF     = 64 << 20 // bytes; Debian's have five million
	maxBTFName = 256
	maxNested  = 32      // names and qualifiers in front of a type
	maxLooks   = 1 << 16 // members that are looked at to find one
)

// Kinds of types (BTF_KIND_*).
const (
	btfInt       = 1
	btfPointer   = 2
	btfArray     = 3
	btfStruct    = 4
	btfUnion     = 5
	btfEnum      = 6
	btfTypedef   = 8
	btfVolatile  = 9
	btfConst     = 10
	btfRestrict  = 11
	btfFuncProto = 13
	btfVar       = 14
	btfDataSec   = 15
	btfDeclTag   = 17
	btfTypeTag   = 18
	btfEnum64    = 19
	btfKinds     = 20 // how many there are; 0 is none
)

// A btfType is the beginning of each type, and the place of what comes after it.
type btfType struct {
	name, size uint32 // the size in bytes, or of others than structures the number of a type
	kind, n    int
	bitfields  bool // offsets of members have the size of a bit-field in their upper 8 bits
	rest       uint32
}

// ReadBTF reads what an unpacked kernel says of its types. It returns an error where that says nothing.
func ReadBTF(vmlinux []byte) (*BTF, error) {
	f, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, err
	}
	section := f.Section(".BTF")
	if section == nil || section.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, errors.New("a kernel without types (CONFIG_DEBUG_INFO_BTF)")
	}
	if section.FileSize > maxBTF {
		return nil, fmt.Errorf("types of %d bytes; at most %d are read", section.FileSize, maxBTF)
	}
	raw, err := section.Data()
	if err != nil {
		return nil, err
	}
	return parseBTF(raw)
}

// parseBTF finds each type. Nothing of what the types say is believed until it is asked for.
func parseBTF(raw []byte) (*BTF, error) {
	le := binary.LittleEndian
	if len(raw) < btfHeader || le.Uint16(raw) != btfMagic {
		return nil, errors.New("types that are not in BTF")
	}
	part := func(from uint32) ([]byte, bool) {
		start := uint64(le.Uint32(raw[4:])) + uint64(le.Uint32(raw[from:]))
		end := start + uint64(le.Uint32(raw[from+4:]))
		if end > uint64(len(raw)) {
			return nil, false
		}
		return raw[start:end], true
	}
	types, ok1 := part(8)
	strings, ok2 := part(16)
	if !ok1 || !ok2 {
		return nil, errors.New("truncated BTF")
	}
	b := &BTF{types: types, strings: strings, at: []uint32{0}}
	for at := uint32(0); int(at) < len(types); {
		if len(types)-int(at) < 12 {
			return nil, errors.New("truncated BTF")
		}
		b.at = append(b.at, at)
		t := b.read(at)
		length, known := t.restLength()
		if !known || uint64(t.rest)+uint64(length) > uint64(len(types)) {
			return nil, fmt.Errorf("BTF type %d of kind %d: unknown, or truncated", len(b.at)-1, t.kind)
		}
		at = t.rest + length
	}
	return b, nil
}

func (b *BTF) read(at uint32) btfType {
	le := binary.LittleEndian
	info := le.Uint32(b.types[at+4:])
	return btfType{
		name: le.Uint32(b.types[at:]), size: le.Uint32(b.types[at+8:]),
		kind: int(info >> 24 & 0x1F), n: int(info & 0xFFFF), bitfields: info>>31 != 0, rest: at + 12,
	}
}

// restLength is how many bytes come after the beginning of a type.
func (t btfType) restLength() (bytes uint32, known bool) {
	switch t.kind {
	case btfInt, btfVar, btfDeclTag:
		return 4, true
	case btfArray:
		return 12, true
	case btfStruct, btfUnion, btfDataSec, btfEnum64:
		return 12 * uint32(t.n), true
	case btfEnum, btfFuncProto:
		return 8 * uint32(t.n), true
	}
	return 0, t.kind > 0 && t.kind < btfKinds
}

func (b *BTF) name(at uint32) string {
	if uint64(at) >= uint64(len(b.strings)) {
		return ""
	}
	text := b.strings[at:min(len(b.strings), int(at)+maxBTFName)]
	if end := bytes.IndexByte(text, 0); end >= 0 {
		return string(text[:end])
	}
	return ""
}

// A Member is where a member of a structure is.
type Member struct {
	Offset uint64 // in bytes from the structure's beginning
	Size   uint64 // in bytes; of an array, of one element
	Count  uint64 // how many elements; 1 of what is no array
}

// Member finds a member of a structure, or a member of that, and so on: ("module", "arch", "num_orcs"). Structures and
// unions without a name are looked through, and of an array is taken the first element. Bit-fields are not found.
func (b *BTF) Member(structure string, path ...string) (m Member, ok bool) {
	for id := range b.at[1:] {
		t := b.read(b.at[id+1])
		if t.kind != btfStruct || b.name(t.name) != structure {
			continue
		}
		current := uint32(id + 1)
		m = Member{Count: 1}
		looks := maxLooks
		for _, name := range path {
			var step Member
			if current, step, ok = b.member(current, name, &looks); !ok {
				return Member{}, false
			}
			m = Member{m.Offset + step.Offset, step.Size, step.Count}
		}
		return m, len(path) > 0
	}
	return Member{}, false
}

// member finds one member of type id, and what type that has. Looks is how many members it may look at.
func (b *BTF) member(id uint32, name string, looks *int) (of uint32, m Member, ok bool) {
	t, ok := b.bare(&id)
	if !ok || t.kind != btfStruct && t.kind != btfUnion {
		return 0, Member{}, false
	}
	le := binary.LittleEndian
	for i := range t.n {
		if *looks--; *looks < 0 {
			return 0, Member{}, false
		}
		raw := b.types[t.rest+12*uint32(i):][:12]
		bits := le.Uint32(raw[8:])
		if t.bitfields {
			if bits>>24 != 0 {
				continue
			}
			bits &= 0xFF_FFFF
		}
		of, called := le.Uint32(raw[4:]), b.name(le.Uint32(raw))
		switch {
		case called == name:
			size, count, of, ok := b.extent(of)
			return of, Member{uint64(bits / 8), size, count}, ok
		case called == "":
			if inner, m, ok := b.member(of, name, looks); ok {
				return inner, Member{m.Offset + uint64(bits/8), m.Size, m.Count}, true
			}
		}
	}
	return 0, Member{}, false
}

// bare follows names and qualifiers of a type to the type itself.
func (b *BTF) bare(id *uint32) (t btfType, ok bool) {
	for range maxNested {
		if *id == 0 || uint64(*id) >= uint64(len(b.at)) {
			return btfType{}, false
		}
		t = b.read(b.at[*id])
		if !slices.Contains([]int{btfTypedef, btfVolatile, btfConst, btfRestrict, btfTypeTag}, t.kind) {
			return t, true
		}
		*id = t.size
	}
	return btfType{}, false
}

// extent returns a type's size, or of an array that of an element, and how many there are, and of which type.
func (b *BTF) extent(id uint32) (size, count uint64, element uint32, ok bool) {
	count = 1
	for range maxNested {
		t, ok := b.bare(&id)
		if !ok {
			return 0, 0, 0, false
		}
		switch t.kind {
		case btfArray:
			element := binary.LittleEndian.Uint32(b.types[t.rest:])
			count *= uint64(binary.LittleEndian.Uint32(b.types[t.rest+8:]))
			id = element
			continue
		case btfPointer:
			return 8, count, id, true
		case btfInt, btfEnum, btfStruct, btfUnion, btfEnum64:
			return uint64(t.size), count, id, true
		}
		return 0, 0, 0, false
	}
	return 0, 0, 0, false
}
