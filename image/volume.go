package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"

	"github.com/ulikunitz/xz/lzma"

	"github.com/tacit-vm/tacit/uefi"
)

// A Module is a program in a firmware image.
type Module struct {
	GUID uefi.GUID // the name of its file
	Name string    // the one for people; "" if it has none
	Kind ModuleKind
	Data []byte // a PE file, or a terse one
}

func (m Module) String() string {
	if m.Name != "" {
		return m.Name
	}
	return m.GUID.String()
}

// ModuleKind is the type of a file in a firmware volume (PI 1.8, volume 3, section 2.1.4.1).
type ModuleKind uint8

// Those that have programs.
const (
	SecurityCore ModuleKind = 3
	PEICore      ModuleKind = 4
	DXECore      ModuleKind = 5
	PEIM         ModuleKind = 6
	Driver       ModuleKind = 7
	Application  ModuleKind = 9
)

// Bounds on firmware.
const (
	maxFirmware         = 128 << 20 // bytes that are unpacked of an image; OVMF has 30 MiB
	maxFirmwareModules  = 4096
	maxFirmwareSections = 1 << 16
	maxFirmwareDepth    = 16 // of volumes and sections in each other
	maxFirmwareNotes    = 16
)

const (
	fvSignature  = "_FVH"
	fvHeaderSize = 56 // without the map of blocks
)

// Encodings of sections that are read or known (EDK2, MdeModulePkg.dec and MdePkg.dec).
var (
	ffs2         = uefi.MustParseGUID("8c8ce578-8a3d-4f1c-9935-896185c32dd3")
	ffs3         = uefi.MustParseGUID("5473c07a-3dcb-4dca-bd6f-1e9689e7349a")
	lzmaSection  = uefi.MustParseGUID("ee4e5898-3914-4259-9d6e-dc7bd79403cf")
	crc32Section = uefi.MustParseGUID("fc1bcdb0-7d31-49aa-936a-a4600d9dd083")
	packings     = map[uefi.GUID]string{
		uefi.MustParseGUID("d42ae6bd-1352-4bfb-909a-ca72a6eae889"): "LZMA with a filter",
		uefi.MustParseGUID("a31280ad-481e-41b6-95e8-127f4c984779"): "Tiano's compression",
		uefi.MustParseGUID("3d532050-5cda-4fd0-879e-0f7f630d5afb"): "Brotli",
	}
)

// isVolume tells whether a firmware volume begins here.
func isVolume(b []byte) bool {
	if len(b) < fvHeaderSize || string(b[40:44]) != fvSignature {
		return false
	}
	length, header := binary.LittleEndian.Uint64(b[32:]), int(binary.LittleEndian.Uint16(b[48:]))
	return header >= fvHeaderSize && uint64(header) <= length && length <= uint64(len(b))
}

// Modules finds the programs in all firmware volumes of an image. What could not be read is told in unread.
func Modules(b []byte) (all []Module, unread []string) {
	v := volumes{budget: maxFirmware}
	const alignment = 8
	for at := 0; at+fvHeaderSize <= len(b); {
		if !isVolume(b[at:]) {
			at += alignment
			continue
		}
		length := int(binary.LittleEndian.Uint64(b[at+32:]))
		v.volume(b[at:][:length], 0)
		at += (length + alignment - 1) &^ (alignment - 1)
	}
	return v.modules, v.unread
}

// volumes reads firmware volumes (PI 1.8, volume 3, chapter 3).
type volumes struct {
	modules  []Module
	unread   []string
	sections int
	budget   int // bytes that may yet be unpacked
}

func (v *volumes) note(format string, args ...any) {
	if len(v.unread) < maxFirmwareNotes {
		v.unread = append(v.unread, fmt.Sprintf(format, args...))
	}
}

// volume reads the files of one volume.
func (v *volumes) volume(b []byte, depth int) {
	le := binary.LittleEndian
	if system := uefi.GUID(b[16:32]); system != ffs2 && system != ffs3 {
		return // such as one of variables
	}
	at := int(le.Uint16(b[48:]))
	if extended := int(le.Uint16(b[52:])); extended != 0 && extended+20 <= len(b) {
		if end := extended + int(le.Uint32(b[extended+16:])); end > at && end <= len(b) {
			at = end
		}
	}
	const eraseOnes = 0x800
	blank := byte(0)
	if le.Uint32(b[44:])&eraseOnes != 0 {
		blank = 0xff
	}
	for {
		const headerSize, extendedSize, large = 24, 32, 1
		at = (at + 7) &^ 7
		if at+headerSize > len(b) || bytes.Count(b[at:at+headerSize], []byte{blank}) == headerSize {
			return
		}
		f := b[at:]
		header, size := headerSize, uint64(f[20])|uint64(f[21])<<8|uint64(f[22])<<16
		if f[19]&large != 0 && len(f) >= extendedSize {
			header, size = extendedSize, le.Uint64(f[24:])
		}
		if size < uint64(header) || size > uint64(len(f)) {
			v.note("a damaged file in a firmware volume: %d bytes, of which the volume has %d", size, len(f))
			return
		}
		const valid, deleted = 0x02 | 0x04, 0x10 // of the header and of the data
		if state := f[23] ^ blank; state&valid == valid && state&deleted == 0 {
			v.file(f[:size], header, depth)
		}
		at += int(size)
	}
}

// file reads the sections of a file.
func (v *volumes) file(f []byte, header, depth int) {
	m := Module{GUID: uefi.GUID(f[:16]), Kind: ModuleKind(f[18])}
	const raw, pad, firstOEM = 0x01, 0xf0, 0xc0
	if m.Kind == raw || m.Kind == pad || m.Kind == 0 || m.Kind >= firstOEM {
		return
	}
	v.walk(f[header:], &m, depth)
	if m.Data == nil {
		return
	}
	if len(v.modules) == maxFirmwareModules {
		v.note("more than %d modules", maxFirmwareModules)
		return
	}
	v.modules = append(v.modules, m)
}

// walk reads a stream of sections, whose program and name become those of m.
func (v *volumes) walk(b []byte, m *Module, depth int) {
	if depth > maxFirmwareDepth {
		v.note("firmware volumes nested more than %d deep", maxFirmwareDepth)
		return
	}
	le := binary.LittleEndian
	for at := 0; at+4 <= len(b); at = (at + 3) &^ 3 {
		if v.sections++; v.sections > maxFirmwareSections {
			v.note("more than %d sections", maxFirmwareSections)
			return
		}
		s := b[at:]
		header, size := 4, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16
		if size == 0xffffff && len(s) >= 8 {
			header, size = 8, uint64(le.Uint32(s[4:]))
		}
		if size < uint64(header) || size > uint64(len(s)) {
			v.note("%v: a damaged section of %d bytes", m, size)
			return
		}
		at += int(size)
		v.section(s[3], s[:size], header, m, depth)
	}
}

// section reads one section.
func (v *volumes) section(kind byte, s []byte, header int, m *Module, depth int) {
	const (
		compression = 0x01
		guidDefined = 0x02
		pe32        = 0x10
		terse       = 0x12
		name        = 0x15
		volumeImage = 0x17
	)
	body := s[header:]
	le := binary.LittleEndian
	switch kind {
	case pe32, terse:
		if m.Data == nil {
			m.Data = body
		}
	case name:
		m.Name = printableName(fromUTF16(body))
	case volumeImage:
		if isVolume(body) {
			v.volume(body[:le.Uint64(body[32:])], depth+1)
		} else {
			v.note("%v: a damaged firmware volume", m)
		}
	case compression:
		switch {
		case len(body) >= 5 && body[4] == 0:
			v.walk(body[5:], m, depth+1)
		default:
			v.note("%v: Tiano's compression, which is not read", m)
		}
	case guidDefined:
		if len(body) < 20 || int(le.Uint16(body[16:])) < header+20 || int(le.Uint16(body[16:])) > len(s) {
			v.note("%v: a damaged section", m)
			return
		}
		encoding, data := uefi.GUID(body[:16]), s[le.Uint16(body[16:]):]
		switch encoding {
		case crc32Section:
			v.walk(data, m, depth+1)
		case lzmaSection:
			unpacked, err := v.unpack(data)
			if err != nil {
				v.note("%v: %v", m, err)
				return
			}
			v.walk(unpacked, m, depth+1)
		default:
			what := packings[encoding]
			if what == "" {
				what = "a section of type " + encoding.String()
			}
			v.note("%v: %s, which is not read", m, what)
		}
	}
}

// unpack unpacks LZMA. What comes out counts from one budget.
func (v *volumes) unpack(b []byte) ([]byte, error) {
	r, err := lzma.ReaderConfig{DictCap: maxWindow}.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("lzma: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(v.budget)+1))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("lzma: %w", err)
	}
	if len(out) > v.budget {
		return nil, fmt.Errorf("firmware that unpacks to more than %d bytes", maxFirmware)
	}
	v.budget -= len(out)
	return out, nil
}

func fromUTF16(b []byte) string {
	var text []uint16
	for ; len(b) >= 2 && (b[0] != 0 || b[1] != 0) && len(text) < 256; b = b[2:] {
		text = append(text, binary.LittleEndian.Uint16(b))
	}
	return string(utf16.Decode(text))
}
