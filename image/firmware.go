package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/uefi"
)

// OVMF tells the VMM that starts it where things belong in a table just below the reset vector (EDK2,
// OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm): entries of data, length and GUID, the last of which, at 0xffffffd0, has
// the length of all. It is read backwards.
const (
	firmwareTableEnd = 32 // bytes before the end of the image
	tableEntryTail   = 18 // length and GUID of an entry
)

var (
	tableFooter = uefi.MustParseGUID("96b582de-1fb2-45f7-baea-a366c55a082d")
	tdxMetadata = uefi.MustParseGUID("e47a6535-984a-4798-865e-4685a7bf8ec2")
	sevMetadata = uefi.MustParseGUID("dc886566-984a-4798-a75e-5585a7bf67cc")
	sevReset    = uefi.MustParseGUID("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
	sevSecret   = uefi.MustParseGUID("4c2eb361-7d9b-4cc3-8081-127c90d3d294")
	sevHashes   = uefi.MustParseGUID("7255371f-3a3b-4b04-927b-1da6efa8d454")
)

const maxTableEntries = 64 // OVMF has 6

// FirmwareMetadata is what a firmware image tells the VMM that starts it.
type FirmwareMetadata struct {
	TDX []FirmwareArea // of Intel TDX (TDX Virtual Firmware Design Guide, section 11); nil if it has none
	SEV []FirmwareArea // of AMD SEV-SNP (OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm); nil if it has none

	Reset, Secret, Hashes bool // SEV-ES processors are reset, secrets are put, hashes of kernels are put
}

// A FirmwareArea is memory that is to be prepared before the guest starts.
type FirmwareArea struct {
	Kind          uint32
	Address, Size uint64

	DataOffset, DataSize uint32 // of TDX: the bytes of the image that belong there; none for memory that is to be zeros
}

// Kinds of areas that tell what the firmware is for.
const (
	TDXBootVolume = 0 // what the TD starts in
	SNPCPUID      = 3 // where the CPUID page is put
)

const maxFirmwareAreas = 256 // of one kind of metadata; OVMF has 7

// isFirmware tells whether a file begins with a firmware volume.
func isFirmware(head []byte) bool {
	return len(head) >= fvHeaderSize && string(head[40:44]) == fvSignature
}

// endsAsFirmware tells the same of a whole file, which may begin with something else.
func endsAsFirmware(file *io.SectionReader) bool {
	var guid uefi.GUID
	_, err := file.ReadAt(guid[:], file.Size()-firmwareTableEnd-int64(len(guid)))
	return err == nil && guid == tableFooter
}

// HasFirmware tells by the first bytes of a file whether it is a firmware image.
func HasFirmware(head []byte) bool { return isFirmware(head) }

// ReadFirmware reads the table of an image. Without a table there is no metadata, which is no error.
func ReadFirmware(b []byte) (m FirmwareMetadata, err error) {
	end := len(b) - firmwareTableEnd
	if end < tableEntryTail || uefi.GUID(b[end-16:end]) != tableFooter {
		return m, nil
	}
	le := binary.LittleEndian
	length := int(le.Uint16(b[end-tableEntryTail:]))
	if length < tableEntryTail || length > end {
		return m, fmt.Errorf("a damaged table at the end of the firmware: %d bytes", length)
	}
	start := end - length
	for at, entries := end-tableEntryTail, 0; at >= start+tableEntryTail; entries++ {
		guid, size := uefi.GUID(b[at-16:at]), int(le.Uint16(b[at-tableEntryTail:]))
		if size < tableEntryTail || size > at-start || entries == maxTableEntries {
			return m, fmt.Errorf("a damaged table at the end of the firmware: an entry of %d bytes", size)
		}
		data := b[at-size : at-tableEntryTail]
		switch guid {
		case tdxMetadata:
			m.TDX, err = tdxAreas(b, data)
		case sevMetadata:
			m.SEV, err = sevAreas(b, data)
		case sevReset:
			m.Reset = true
		case sevSecret:
			m.Secret = len(data) >= 8 && le.Uint32(data[4:]) != 0
		case sevHashes:
			m.Hashes = len(data) >= 8 && le.Uint32(data[4:]) != 0
		}
		if err != nil {
			return m, err
		}
		at -= size
	}
	return m, nil
}

// areas finds the descriptor that an entry of the table points to, by its distance from the end of the image: signature,
// length, version and number of sections of size bytes each, which come after it.
func areas(b, entry []byte, signature string, size int) (count int, sections []byte, err error) {
	const header = 16
	if len(entry) < 4 {
		return 0, nil, errors.New("no place for the metadata")
	}
	le := binary.LittleEndian
	at := int64(len(b)) - int64(le.Uint32(entry))
	if at < 0 || at > int64(len(b))-header || string(b[at:at+4]) != signature {
		return 0, nil, fmt.Errorf("no metadata %s at byte %d", signature, at)
	}
	count = int(le.Uint32(b[at+12:]))
	if count > maxFirmwareAreas || header+count*size > len(b)-int(at) {
		return 0, nil, fmt.Errorf("metadata %s of %d sections", signature, count)
	}
	return count, b[at+header:], nil
}

func tdxAreas(b, entry []byte) (all []FirmwareArea, err error) {
	const size = 32
	le := binary.LittleEndian
	count, sections, err := areas(b, entry, "TDVF", size)
	for i := range count {
		s := sections[i*size:]
		all = append(all, FirmwareArea{le.Uint32(s[24:]), le.Uint64(s[8:]), le.Uint64(s[16:]), le.Uint32(s), le.Uint32(s[4:])})
	}
	return all, err
}

func sevAreas(b, entry []byte) (all []FirmwareArea, err error) {
	const size = 12
	le := binary.LittleEndian
	count, sections, err := areas(b, entry, "ASEV", size)
	for i := range count {
		s := sections[i*size:]
		all = append(all, FirmwareArea{Kind: le.Uint32(s[8:]), Address: uint64(le.Uint32(s)), Size: uint64(le.Uint32(s[4:]))})
	}
	return all, err
}
