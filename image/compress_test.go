package image

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// sample starts like an ELF file and has what the x86 filter of xz changes: the operand of a CALL.
var sample = []byte("\x7fELF" + strings.Repeat("\xe8\x10\x00\x00\x00 unaccepted memory. ", 24))

// The sample packed by the programs bzip2 -9, lzop -9 and xz --check=crc32 --x86 --lzma2=dict=32MiB, the last two as in
// Linux scripts/xz_wrap.sh and Makefile.lib. There is no library here that packs these.
const (
	sampleBzip2 = "425a6839314159265359d83b6254000121f58140004000400103042e03d62080402000705034d0c8c98814aa2641a34d0da990b2" +
		"0b02d8598b51722c6de3817a16e2f62e45f05d05c0b41605a0b317e1722d4581642c7f177245385090d83b6254"
	sampleLzop = "894c5a4f000d0a1a0a104020a00940030903000009000081a46b02d0470000000005742e62696e50b905fb0000025c000000279ddf" +
		"c6df2e7f454c46e81000000020756e6163636570746564206d656d6f72792e2020000020600011000000000000"
	sampleXZ = "fd377a585a0000016922de360201040021011a0001c980b3e0025b005d5d003f914584706a15e178153af49e5a7037c604fbf0d4" +
		"4e346ffc5a0c5a4ae09b899208dfc007a728d332dcff3ef84de3b4dfb8ec8cd1f8c459163c094ce926a84c9696393b714bc99209eab6" +
		"889bfbe144cca6780753b660fda9b07e3769000000006409508c000175dc04000000a04ddd5b3e300d8b020000000001595a"
)

// packed returns the sample in every format, without the size that kernels append.
func packed(t testing.TB) map[string][]byte {
	t.Helper()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	with := func(open func(io.Writer) (io.WriteCloser, error)) []byte {
		var b bytes.Buffer
		w, err := open(&b)
		if err == nil {
			_, err = w.Write(sample)
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	return map[string][]byte{
		"gzip":        with(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"bzip2":       unhex(sampleBzip2),
		"lzma":        with(func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) }),
		"xz":          with(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		"xz with x86": unhex(sampleXZ),
		"lzo":         unhex(sampleLzop),
		"lzo stored":  storedLzop(unhex(sampleLzop)),
		"lz4": with(func(w io.Writer) (io.WriteCloser, error) {
			z := lz4.NewWriter(w)
			return z, z.Apply(lz4.LegacyOption(true))
		}),
		"lz4 frame": with(func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }),
		"zstd":      zstdBytes(t, sample),
		"stored":    sample,
	}
}

// storedLzop takes the header of an lzop file and puts the sample after it as a block that could not be made smaller.
func storedLzop(file []byte) []byte {
	block := bytes.Index(file, []byte{0, 0, 2, 0x5c})
	size := binary.BigEndian.AppendUint32(nil, uint32(len(sample)))
	const checksum, end = "\x9d\xdf\xc6\xdf", "\x00\x00\x00\x00"
	return bytes.Join([][]byte{file[:block], size, size, []byte(checksum), sample, []byte(end)}, nil)
}

func TestDecompressor(t *testing.T) {
	for format, b := range packed(t) {
		r, err := decompressor(bytes.NewReader(b))
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, sample) {
			t.Errorf("%s: got %d bytes, %v, want the %d of the sample", format, len(got), err, len(sample))
		}
		if format == "stored" {
			continue
		}
		// Cut short, every format must notice, and say so instead of ending early.
		for cut := len(b) - 1; cut > 8; cut -= 7 {
			r, err := decompressor(bytes.NewReader(b[:cut]))
			var got []byte
			if err == nil {
				got, err = io.ReadAll(r)
			}
			if err == nil && !bytes.Equal(got, sample) {
				t.Errorf("%s, %d of %d bytes: %d of %d bytes and no error", format, cut, len(b), len(got), len(sample))
			}
		}
	}
}

// As a kernel's payload, with its size after it.
func TestPayloadFormats(t *testing.T) {
	for format, b := range packed(t) {
		if format != "gzip" { // has the size itself
			b = binary.LittleEndian.AppendUint32(bytes.Clone(b), uint32(len(sample)))
		}
		if got, err := unpackPayload(b); err != nil || !bytes.Equal(got, sample) {
			t.Errorf("%s: got %d bytes, %v, want the %d of the sample", format, len(got), err, len(sample))
		}
	}
}

// A few bytes that unpack to gigabytes stop at the bound.
func TestBounds(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := decompressor(&bomb)
	if err != nil {
		t.Fatal(err)
	}
	const bound = 5 << 20
	n, err := io.Copy(io.Discard, bounded(r, bound))
	if n != bound {
		t.Errorf("read %d bytes, want %d", n, bound)
	}
	wantError(t, "a bomb", err, "unpacks to more than")

	// An lzop block that claims 4 GiB.
	claim := bytes.Replace(packed(t)["lzo"], []byte{0, 0, 2, 0x5c, 0, 0, 0, 0x27}, []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x27}, 1)
	r, err = decompressor(bytes.NewReader(claim))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(r)
	wantError(t, "an lzop block of 4 GiB", err, "lzo: a block of 4294967295 bytes")
}
