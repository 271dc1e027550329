package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Setup is a bzImage's setup header: Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header", whose field
// names these are. Offsets in it count from the start of the protected-mode code; see [Setup.ProtectedMode].
type Setup struct {
	SetupSects        uint8  // 0x1f1 size of the real-mode code after the boot sector, in 512-byte sectors
	Syssize           uint32 // 0x1f4 size of the protected-mode code, in 16-byte paragraphs
	Version           uint16 // 0x206 boot protocol, major in the high byte
	KernelVersion     string // 0x20e the version string pointed to: release, builder and date
	KernelAlignment   uint32 // 0x230 bytes
	RelocatableKernel bool   // 0x234
	XLoadFlags        uint16 // 0x236 XLF bits
	CmdlineSize       uint32 // 0x238 longest command line in bytes, without the terminating zero
	PayloadOffset     uint32 // 0x248
	PayloadLength     uint32 // 0x24c
	PrefAddress       uint64 // 0x258 preferred load address
	InitSize          uint32 // 0x260 memory needed from the load address on, in bytes
	HandoverOffset    uint32 // 0x264 entry of the old EFI handover protocol
	KernelInfoOffset  uint32 // 0x268
}

// Bits of [Setup].XLoadFlags (boot.rst, "xloadflags").
const (
	XLFKernel64           = 1 << 0 // has the 64-bit entry point at 0x200
	XLFCanBeLoadedAbove4G = 1 << 1
	XLFEFIHandover32      = 1 << 2
	XLFEFIHandover64      = 1 << 3
	XLFEFIKexec           = 1 << 4
)

const (
	bootFlagOffset = 0x1fe // 0xaa55
	headerOffset   = 0x202 // "HdrS"
	setupEnd       = 0x26c // the end of the last field read here
	sector         = 512
	minProtocol    = 0x020c // 2.12 of Linux 3.8, the first with xloadflags
)

func isBzImage(b []byte) bool {
	return len(b) >= headerOffset+4 && b[bootFlagOffset] == 0x55 && b[bootFlagOffset+1] == 0xaa &&
		string(b[headerOffset:headerOffset+4]) == "HdrS"
}

// parseSetup reads the setup header and checks that the file has all that it speaks of.
func parseSetup(b []byte) (*Setup, error) {
	if len(b) < setupEnd {
		return nil, fmt.Errorf("truncated bzImage: %d bytes, within the setup header", len(b))
	}
	le := binary.LittleEndian
	s := &Setup{
		SetupSects:        b[0x1f1],
		Syssize:           le.Uint32(b[0x1f4:]),
		Version:           le.Uint16(b[0x206:]),
		KernelAlignment:   le.Uint32(b[0x230:]),
		RelocatableKernel: b[0x234] != 0,
		XLoadFlags:        le.Uint16(b[0x236:]),
		CmdlineSize:       le.Uint32(b[0x238:]),
		PayloadOffset:     le.Uint32(b[0x248:]),
		PayloadLength:     le.Uint32(b[0x24c:]),
		PrefAddress:       le.Uint64(b[0x258:]),
		InitSize:          le.Uint32(b[0x260:]),
		HandoverOffset:    le.Uint32(b[0x264:]),
		KernelInfoOffset:  le.Uint32(b[0x268:]),
	}
	if s.SetupSects == 0 {
		s.SetupSects = 4 // boot.rst, note 1
	}
	if s.Version < minProtocol {
		return nil, fmt.Errorf("boot protocol %d.%02d: kernels older than Linux 3.8 are not supported",
			s.Version>>8, s.Version&0xff)
	}
	if want := uint64(s.ProtectedMode()) + uint64(s.Syssize)*16; want > uint64(len(b)) {
		return nil, fmt.Errorf("truncated bzImage: its setup header speaks of %d bytes, the file has %d", want, len(b))
	}
	if end := uint64(s.ProtectedMode()) + uint64(s.PayloadOffset) + uint64(s.PayloadLength); end > uint64(len(b)) {
		return nil, fmt.Errorf("damaged bzImage: its payload ends at byte %d, the file has %d", end, len(b))
	}
	s.KernelVersion = versionString(b, le.Uint16(b[0x20e:]))
	return s, nil
}

// versionString reads the string that the kernel_version field points to, less 0x200. A kernel without one has "".
func versionString(b []byte, field uint16) string {
	const longest = 256 // bytes; a release has at most 64, builder and date follow
	start := int(field) + 0x200
	if field == 0 || start >= len(b) {
		return ""
	}
	text := b[start:min(start+longest, len(b))]
	for i, c := range text {
		if c == 0 {
			text = text[:i]
			break
		}
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?' // it goes to people's terminals
		}
		return c
	}, string(text))
}

// Release returns the kernel release, the first word of the version string; "unknown" if the kernel states none.
func (s *Setup) Release() string {
	if words := strings.Fields(s.KernelVersion); len(words) > 0 {
		return words[0]
	}
	return "unknown"
}

// ProtectedMode returns the file offset of the protected-mode code in bytes.
func (s *Setup) ProtectedMode() int { return (int(s.SetupSects) + 1) * sector }

// unbootable says why 64-bit firmware cannot start this kernel.
func (s *Setup) unbootable(b []byte) error {
	if !isPE(b) {
		return errors.New("a bzImage without EFI stub (CONFIG_EFI_STUB), which firmware cannot start")
	}
	if s.XLoadFlags&XLFKernel64 == 0 {
		return errors.New("a 32-bit kernel; confidential guests are 64-bit")
	}
	unbootable, err := checkPE(b)
	return errors.Join(unbootable, err)
}
