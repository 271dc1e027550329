package acpi

import "encoding/binary"

// This file writes AML, the byte code of definition blocks, as far as a table of devices needs it
// (ACPI 6.5, chapter 20). Each function returns the encoding of one term; a body is terms one after another.

// Opcodes (ACPI 6.5, table 20.2).
const (
	amlZero     = 0x00
	amlOne      = 0x01
	amlName     = 0x08
	amlByte     = 0x0A
	amlWord     = 0x0B
	amlDWord    = 0x0C
	amlString   = 0x0D
	amlScope    = 0x10
	amlBuffer   = 0x11
	amlPackage  = 0x12
	amlExtended = 0x5B
	amlDevice   = 0x82 // after amlExtended
)

func join(terms ...[]byte) []byte {
	var all []byte
	for _, t := range terms {
		all = append(all, t...)
	}
	return all
}

// pkgLength prefixes body with its length, which counts the length's own bytes (ACPI 6.5, 20.2.4).
func pkgLength(body []byte) []byte {
	if n := len(body) + 1; n < 1<<6 {
		return append([]byte{byte(n)}, body...)
	}
	for more := 1; ; more++ {
		n := len(body) + 1 + more
		if n >= 1<<(4+8*more) && more < 3 {
			continue
		}
		prefix := []byte{byte(more<<6 | n&0xF)}
		for i := range more {
			prefix = append(prefix, byte(n>>(4+8*i)))
		}
		return append(prefix, body...)
	}
}

// integer returns the shortest constant that holds v.
func integer(v uint32) []byte {
	switch {
	case v == 0:
		return []byte{amlZero}
	case v == 1:
		return []byte{amlOne}
	case v <= 0xFF:
		return []byte{amlByte, byte(v)}
	case v <= 0xFFFF:
		return binary.LittleEndian.AppendUint16([]byte{amlWord}, uint16(v))
	}
	return binary.LittleEndian.AppendUint32([]byte{amlDWord}, v)
}

func text(s string) []byte { return append(append([]byte{amlString}, s...), 0) }

// name declares an object; the segment has four characters.
func name(segment string, object []byte) []byte {
	return join([]byte{amlName}, []byte(segment), object)
}

func device(segment string, terms ...[]byte) []byte {
	return join([]byte{amlExtended, amlDevice}, pkgLength(join([]byte(segment), join(terms...))))
}

// scope opens an existing name, in a definition block's own scope a name below the root.
func scope(segment string, terms ...[]byte) []byte {
	return join([]byte{amlScope}, pkgLength(join([]byte(segment), join(terms...))))
}

func pack(elements ...[]byte) []byte {
	return join([]byte{amlPackage}, pkgLength(append([]byte{byte(len(elements))}, join(elements...)...)))
}

// eisaID packs an identifier like PNP0501 into the integer that _HID holds (ACPI 6.5, 19.6.38): three letters of
// five bits and four hexadecimal digits, most significant byte first.
func eisaID(id string) []byte {
	var v uint32
	for _, c := range id[:3] {
		v = v<<5 | uint32(c)&0x1F
	}
	for _, c := range id[3:7] {
		v = v<<4 | uint32(hexDigit(byte(c)))
	}
	return binary.BigEndian.AppendUint32([]byte{amlDWord}, v)
}

func hexDigit(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}

// resources returns a _CRS template of the given descriptors.
func resources(descriptors ...[]byte) []byte {
	const endTag, noChecksum = 0x79, 0 // ACPI 6.5, 6.4.2.9
	template := append(join(descriptors...), endTag, noChecksum)
	return join([]byte{amlBuffer}, pkgLength(join(integer(uint32(len(template))), template)))
}

// ports describes count I/O ports from first on (I/O Port Descriptor, ACPI 6.5, 6.4.2.5).
func ports(first uint16, count uint8) []byte {
	const tag, decode16 = 0x47, 1
	b := []byte{tag, decode16}
	b = binary.LittleEndian.AppendUint16(b, first)
	b = binary.LittleEndian.AppendUint16(b, first)
	return append(b, 1, count)
}

// interrupt describes global system interrupts, level-triggered, active high, not shared
// (Extended Interrupt Descriptor, ACPI 6.5, 6.4.3.6). The older IRQ descriptor is for a PIC, which there is none of.
func interrupt(gsi ...uint32) []byte {
	const tag, consumer = 0x89, 1
	b := []byte{tag, byte(2 + 4*len(gsi)), 0, consumer, byte(len(gsi))}
	for _, n := range gsi {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
