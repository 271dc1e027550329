package imagetest

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/uefi"
)

// Module is a program of a firmware image.
type Module struct {
	GUID uefi.GUID
	Kind uint8
	Name string
	Data []byte // a PE file, or a terse one
}

// Firmware makes a firmware image of modules, none of them compressed. tail is what comes after the volume, with the
// table that tells the VMM about it.
func Firmware(tail []byte, modules ...Module) []byte {
	const headerSize = 72
	le := binary.LittleEndian
	volume := make([]byte, headerSize)
	for _, m := range modules {
		for len(volume)%8 != 0 {
			volume = append(volume, 0xff)
		}
		var body []byte
		add := func(kind byte, data []byte) {
			for len(body)%4 != 0 {
				body = append(body, 0)
			}
			size := 4 + len(data)
			body = append(body, byte(size), byte(size>>8), byte(size>>16), kind)
			body = append(body, data...)
		}
		const pe32, terse, name = 0x10, 0x12, 0x15
		if len(m.Data) > 2 && string(m.Data[:2]) == "VZ" {
			add(terse, m.Data)
		} else {
			add(pe32, m.Data)
		}
		var text []byte
		for _, c := range m.Name + "\x00" {
			text = append(text, byte(c), 0)
		}
		add(name, text)
		file := make([]byte, 24)
		copy(file, m.GUID[:])
		size := len(file) + len(body)
		const valid = 0xf8 // header and data, where erased bits are ones
		file[18], file[20], file[21], file[22], file[23] = m.Kind, byte(size), byte(size>>8), byte(size>>16), valid
		volume = append(append(volume, file...), body...)
	}
	for len(volume)%8 != 0 {
		volume = append(volume, 0xff)
	}
	ffs2 := uefi.MustParseGUID("8c8ce578-8a3d-4f1c-9935-896185c32dd3")
	copy(volume[16:], ffs2[:])
	le.PutUint64(volume[32:], uint64(len(volume)))
	copy(volume[40:], "_FVH")
	const eraseOnes = 0x800
	le.PutUint32(volume[44:], eraseOnes)
	le.PutUint16(volume[48:], headerSize)
	return append(volume, tail...)
}
