package image

import "io"

// cache keeps what was read last. File systems read a hundred bytes here and there, and each read of a compressed
// cluster unpacks it from its beginning.
type cache struct {
	r      io.ReaderAt
	size   int64 // of a block, a power of two
	blocks []cacheBlock
	next   int // to be replaced
}

const (
	cacheBytes     = 4 << 20
	cacheBlocks    = 64       // at most
	cacheBlockSize = 64 << 10 // of a disk: QEMU's default size of a cluster
)

type cacheBlock struct {
	at   int64
	data []byte // nil for none
	err  error
}

// newCache makes one with blocks of so many bytes.
func newCache(r io.ReaderAt, size int64) *cache {
	return &cache{r: r, size: size, blocks: make([]cacheBlock, min(cacheBlocks, cacheBytes/size))}
}

func (c *cache) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		b := c.block((off + int64(n)) &^ (c.size - 1))
		within := int(off + int64(n) - b.at)
		k := copy(p[n:], b.data[min(within, len(b.data)):])
		if n += k; n < len(p) && int64(len(b.data)) < c.size {
			return n, b.err
		}
	}
	return n, nil
}

// block returns the block at an offset. One that is short has an error.
func (c *cache) block(at int64) cacheBlock {
	for _, b := range c.blocks {
		if b.data != nil && b.at == at {
			return b
		}
	}
	data := make([]byte, c.size)
	n, err := c.r.ReadAt(data, at)
	if n < len(data) && err == nil {
		err = io.ErrUnexpectedEOF
	}
	b := cacheBlock{at, data[:n], err}
	c.blocks[c.next] = b
	c.next = (c.next + 1) % len(c.blocks)
	return b
}
