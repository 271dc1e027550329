package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Payload unpacks the kernel proper (vmlinux, an ELF file) out of a bzImage. It takes a few tenths of a second and the
// unpacked size in memory, at most 512 MiB.
func (i *Image) Payload() ([]byte, error) {
	if i.Setup == nil {
		return nil, fmt.Errorf("%s: an %s has no kernel payload", i.Source, i.Kind)
	}
	vmlinux, err := unpackPayload(i.packedPayload())
	if err != nil {
		return nil, fmt.Errorf("%s: kernel payload: %w", i.Source, err)
	}
	return vmlinux, nil
}

// packedPayload is the part of the file that the setup header calls payload; parseSetup has checked that it exists.
func (i *Image) packedPayload() []byte {
	start := uint64(i.Setup.ProtectedMode()) + uint64(i.Setup.PayloadOffset)
	return i.Data[start:][:i.Setup.PayloadLength]
}

// unpackPayload decompresses a payload. Its last four bytes are the unpacked size: with gzip they belong to the format,
// after all others the kernel's build adds them (Linux scripts/Makefile.lib, size_append).
func unpackPayload(packed []byte) ([]byte, error) {
	if len(packed) < 8 {
		return nil, errors.New("none")
	}
	size := binary.LittleEndian.Uint32(packed[len(packed)-4:])
	if size > maxVmlinux {
		return nil, fmt.Errorf("unpacks to %d bytes; at most %d are read", size, maxVmlinux)
	}
	var out []byte
	var err error
	if bytes.HasPrefix(packed, []byte(zstdMagic)) {
		out, err = unpackZstd(packed[:len(packed)-4], int(size))
	} else {
		out, err = unpack(packed, int(size))
	}
	switch {
	case err != nil:
		return nil, err
	case len(out) != int(size):
		return nil, fmt.Errorf("unpacks to %d bytes instead of %d", len(out), size)
	case !bytes.HasPrefix(out, []byte("\x7fELF")):
		return nil, errors.New("not an ELF file in one of the kernel's compressions")
	}
	return out, nil
}

// unpack reads at most size bytes out of any of the formats.
func unpack(packed []byte, size int) ([]byte, error) {
	r, err := decompressor(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(min(size, 16*len(packed)) + bytes.MinRead)
	_, err = io.Copy(&out, io.LimitReader(r, int64(size)))
	return out.Bytes(), err
}

// unpackZstd unpacks in one go, which needs no window beside the output; kernels ask for one of 128 MiB.
func unpackZstd(packed []byte, size int) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(packed, make([]byte, 0, size))
}
