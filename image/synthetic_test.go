package image

import (
	"archive/tar"
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// What the tests read is made here, so that no binary needs to be kept.

const syntheticRelease = "6.12.9-synthetic"

// bzImage makes a bzImage with EFI stub around a payload: one setup sector after the boot sector, then the code, then
// the payload. Its PE header is in the boot sector, as in a real one.
func bzImage(payload []byte) []byte {
	const setup, code = 2 * sector, 64
	b := make([]byte, setup+code, setup+code+len(payload)+16)
	b = append(b, payload...)
	for len(b)%16 != 0 {
		b = append(b, 0)
	}
	le := binary.LittleEndian
	copy(b, peHeader(uint32(setup), uint32(len(b)-setup)))
	b[0x1f1] = 1
	le.PutUint32(b[0x1f4:], uint32(len(b)-setup)/16)
	le.PutUint16(b[0x1fe:], 0xaa55)
	copy(b[0x202:], "HdrS")
	le.PutUint16(b[0x206:], 0x020f)
	le.PutUint16(b[0x20e:], 0x300-0x200)
	copy(b[0x300:], syntheticRelease+" (somebody@host) #1 SMP\x00")
	le.PutUint32(b[0x230:], 2<<20)
	b[0x234] = 1
	le.PutUint16(b[0x236:], XLFKernel64|XLFCanBeLoadedAbove4G|XLFEFIHandover64)
	le.PutUint32(b[0x238:], 2047)
	le.PutUint32(b[0x248:], code)
	le.PutUint32(b[0x24c:], uint32(len(payload)))
	le.PutUint64(b[0x258:], 16<<20)
	le.PutUint32(b[0x260:], 64<<20)
	le.PutUint32(b[0x264:], 0x1234)
	le.PutUint32(b[0x268:], 0x5678)
	return b
}

// peHeader makes the headers of an EFI application for x86-64 with one section.
func peHeader(offset, size uint32) []byte {
	var b bytes.Buffer
	b.WriteString("MZ")
	b.Write(make([]byte, 0x3a))
	binary.Write(&b, binary.LittleEndian, uint32(0x40))
	b.WriteString("PE\x00\x00")
	optional := pe.OptionalHeader64{
		Magic: 0x20b, AddressOfEntryPoint: offset, SectionAlignment: 0x1000, FileAlignment: 0x200,
		SizeOfImage: offset + size, SizeOfHeaders: 0x200, Subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION,
		NumberOfRvaAndSizes: 16,
	}
	binary.Write(&b, binary.LittleEndian, pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(optional)),
	})
	binary.Write(&b, binary.LittleEndian, optional)
	binary.Write(&b, binary.LittleEndian, pe.SectionHeader32{
		Name: [8]uint8{'.', 't', 'e', 'x', 't'}, VirtualSize: size, VirtualAddress: offset,
		SizeOfRawData: size, PointerToRawData: offset,
	})
	return b.Bytes()
}

// Offsets in what peHeader makes.
const (
	peMachineOffset   = 0x44
	peEntryOffset     = 0x58 + 16
	peSubsystemOffset = 0x58 + 68
)

func efiApplication() []byte {
	return append(append(peHeader(0x200, 0x100), make([]byte, 0x200-len(peHeader(0, 0)))...), make([]byte, 0x100)...)
}

// deb makes a package of the given files, compressed with zstd.
func deb(t testing.TB, files map[string][]byte, order ...string) []byte {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, name := range order {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return ar("debian-binary", []byte("2.0\n"), "control.tar", []byte{1, 2, 3}, "data.tar.zst", zstdBytes(t, data.Bytes()))
}

// ar makes an archive of name, content, name, content, …
func ar(members ...any) []byte {
	b := []byte(arMagic)
	for i := 0; i < len(members); i += 2 {
		content := members[i+1].([]byte)
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8o%-10d%s", members[i], 0, 0, 0, 0o100644, len(content), arHeaderEnd)
		b = append(b, content...)
		if len(content)%2 != 0 {
			b = append(b, '\n')
		}
	}
	return b
}

func zstdBytes(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// payloadOf makes a payload of an unpacked kernel.
func payloadOf(t testing.TB, vmlinux []byte) []byte {
	return binary.LittleEndian.AppendUint32(zstdBytes(t, vmlinux), uint32(len(vmlinux)))
}

// wantError checks that an error is one line that says all of what is given.
func wantError(t *testing.T, what string, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one that says %q", what, says)
		return
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: an error of several lines: %q", what, err)
	}
	for _, say := range says {
		if !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %q does not say %q", what, err, say)
		}
	}
}
