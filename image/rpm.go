package image

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// An RPM package (rpm documentation, "RPM V4 Package format") is a lead of 96 bytes, two headers, the first of which
// holds signatures and is padded to 8 bytes, and a cpio archive, usually compressed. Nothing in the headers is needed.
const (
	rpmLeadMagic   = "\xed\xab\xee\xdb"
	rpmLeadSize    = 96
	rpmHeaderMagic = "\x8e\xad\xe8\x01"
	rpmIntroSize   = 16       // magic, 4 reserved bytes, number of index entries and size of the data, big endian
	rpmIndexSize   = 16       // bytes of an index entry
	rpmMaxHeader   = 64 << 20 // bytes; rpm itself reads up to 256 MiB
)

func isRPM(head []byte) bool { return len(head) >= rpmLeadSize && string(head[:4]) == rpmLeadMagic }

func lookInRPM(file *io.SectionReader, wanted Wanted) (*Contents, error) {
	payload, err := rpmPayload(file)
	if err != nil {
		return nil, err
	}
	unpacked, err := decompressor(payload)
	if err != nil {
		return nil, fmt.Errorf("the package's payload: %w", err)
	}
	files, err := filesInCpio(bufio.NewReaderSize(unpacked, 64<<10), inPackage{wanted})
	if err != nil {
		return nil, err
	}
	return &Contents{Format: "RPM package", Volumes: []Volume{{Format: "cpio", Files: files}}}, nil
}

// rpmPayload returns what follows the two headers.
func rpmPayload(file *io.SectionReader) (*io.SectionReader, error) {
	at := int64(rpmLeadSize)
	for _, alignment := range []int64{8, 1} {
		var intro [rpmIntroSize]byte
		if _, err := file.ReadAt(intro[:], at); err != nil {
			return nil, fmt.Errorf("truncated package: %w", err)
		}
		if string(intro[:4]) != rpmHeaderMagic {
			return nil, fmt.Errorf("damaged package: no rpm header at byte %d", at)
		}
		index, data := binary.BigEndian.Uint32(intro[8:]), binary.BigEndian.Uint32(intro[12:])
		length := int64(index)*rpmIndexSize + int64(data)
		if length > rpmMaxHeader {
			return nil, fmt.Errorf("damaged package: an rpm header of %d bytes", length)
		}
		at += (rpmIntroSize + length + alignment - 1) &^ (alignment - 1)
	}
	if at >= file.Size() {
		return nil, fmt.Errorf("truncated package: its payload begins at byte %d, the file has %d", at, file.Size())
	}
	return io.NewSectionReader(file, at, file.Size()-at), nil
}
