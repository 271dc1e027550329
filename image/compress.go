package image

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
)

// formats are the compressions of kernels (boot.rst, "payload_offset") and of packages, by their magic numbers. None
// keeps more than maxWindow bytes of history.
var formats = []struct {
	name, magic string
	open        func(io.Reader) (io.Reader, error)
}{
	{"gzip", "\x1f\x8b\x08", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"bzip2", "BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"xz", "\xfd7zXZ\x00", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, maxWindow) }},
	{"lzma", "\x5d\x00\x00", func(r io.Reader) (io.Reader, error) {
		return lzma.ReaderConfig{DictCap: maxWindow}.NewReader(r)
	}},
	{"lzo", lzopMagic, openLzop},
	{"lz4", "\x02\x21\x4c\x18", openLZ4}, // the legacy frame, which kernels use
	{"lz4", "\x04\x22\x4d\x18", openLZ4},
	{"zstd", zstdMagic, func(r io.Reader) (io.Reader, error) {
		// With a concurrency of 1 the decoder has no goroutines, so it need not be closed.
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
	}},
}

const zstdMagic = "\x28\xb5\x2f\xfd"

// decompressor recognises how r is compressed and returns a reader of what is inside, r's own bytes if it is not.
func decompressor(r io.Reader) (io.Reader, error) {
	packed := &fed{r: r}
	buffered := bufio.NewReaderSize(packed, 64<<10)
	for _, f := range formats {
		head, _ := buffered.Peek(len(f.magic)) // a short file has another format
		if string(head) != f.magic {
			continue
		}
		inside, err := f.open(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		return &unpacker{inside, f.name, packed, maxRatio, 0}, nil
	}
	packed.plain = true
	return buffered, nil
}

// Bounds on what a decompressor does for a file of few bytes.
const (
	maxUnused = 16 << 20  // bytes read while none come out; no format has blocks of more than a few MiB
	maxRatio  = 200       // bytes out for each one read; a disk that is mostly empty has a few tens
	freeRatio = 512 << 20 // bytes that may come out whatever the ratio
)

// fed is what a decompressor reads. Blocks and frames may be empty: without a bound, a decompressor looks for bytes in
// them as long as there are any.
type fed struct {
	r            io.Reader
	plain        bool  // there is no decompressor
	read, unused int64 // bytes, and those since some came out
}

func (f *fed) Read(p []byte) (int, error) {
	if f.unused > maxUnused && !f.plain {
		return 0, fmt.Errorf("%d bytes that unpack to nothing", f.unused)
	}
	n, err := f.r.Read(p)
	f.read += int64(n)
	f.unused += int64(n)
	return n, err
}

// unpacker is what a decompressor writes. It adds the format's name to errors; not all libraries do.
type unpacker struct {
	inside io.Reader
	format string
	packed *fed
	ratio  int64 // as maxRatio
	wrote  int64
}

func (u *unpacker) Read(p []byte) (int, error) {
	// A few bytes, read long ago, may give gigabytes. Whether somebody cancelled it the file knows.
	if _, err := u.packed.r.Read(nil); err != nil && err != io.EOF {
		return 0, err
	}
	n, err := u.inside.Read(p)
	if u.wrote += int64(n); n > 0 {
		u.packed.unused = 0
	}
	if u.wrote > freeRatio && u.wrote/u.ratio > u.packed.read {
		err = fmt.Errorf("a bomb: %d bytes unpack to more than %d", u.packed.read, u.wrote)
	}
	if err != nil && err != io.EOF && !strings.HasPrefix(err.Error(), u.format+": ") {
		err = fmt.Errorf("%s: %w", u.format, err)
	}
	return n, err
}

func openLZ4(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }
