package mem

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/tacit-vm/tacit/physical"
)

// A Frozen is the contents of a memory at one instant, from which others are made that share it: a page is copied when
// one of them writes to it. It is a file without a name, in memory where the host can (memfd on Linux).
type Frozen struct {
	file           *os.File // both planes, one after the other
	size           uint64
	backed, tables [physical.Planes]bitmap
	extents        [physical.Planes][]run // what is mapped of the file; the rest is zeros that take nothing
}

// maxGap is how many pages without contents are mapped with those around them, so that mappings are few.
const maxGap = 64

// Freeze copies what has been written to.
func (m *Memory) Freeze() (*Frozen, error) {
	file, err := namelessFile()
	if err != nil {
		return nil, fmt.Errorf("memory to share: %w", err)
	}
	z := &Frozen{file: file, size: m.size}
	if err := file.Truncate(int64(uint64(physical.Planes) * m.size)); err != nil {
		return nil, errors.Join(err, z.Close())
	}
	for p := range physical.Plane(physical.Planes) {
		z.backed[p], z.tables[p] = m.plane[p].backed.clone(), m.plane[p].tables.clone()
		for at, end := uint64(0), m.size>>PageShift; at < end; {
			first, n := m.plane[p].backed.nextRun(at, end)
			if n == 0 {
				break
			}
			if err := z.write(p, m.plane[p].mapping, run{first, n}); err != nil {
				return nil, errors.Join(fmt.Errorf("memory to share: %w", err), z.Close())
			}
			at = first + n
		}
	}
	return z, nil
}

// write copies a run of pages, without those that hold zeros.
func (z *Frozen) write(p physical.Plane, mapping []byte, r run) error {
	for page := r.first; page < r.first+r.n; page++ {
		b := mapping[page<<PageShift:][:PageSize]
		if bytes.Equal(b, zeroPage[:]) {
			continue
		}
		if _, err := z.file.WriteAt(b, int64(uint64(p)*z.size+page<<PageShift)); err != nil {
			return err
		}
		e := &z.extents[p]
		if last := len(*e) - 1; last >= 0 && page-((*e)[last].first+(*e)[last].n) <= maxGap {
			(*e)[last].n = page + 1 - (*e)[last].first
		} else {
			*e = append(*e, run{page, 1})
		}
	}
	return nil
}

// New returns a memory with the frozen contents.
func (z *Frozen) New() (*Memory, error) {
	m, err := New(z.size)
	if err != nil {
		return nil, err
	}
	m.discard = overlay
	for p := range m.plane {
		m.plane[p].backed, m.plane[p].tables = z.backed[p].clone(), z.tables[p].clone()
		for _, e := range z.extents[p] {
			at := m.plane[p].mapping[e.first<<PageShift:][:e.n<<PageShift]
			if err := remap(at, unix.MAP_PRIVATE, int(z.file.Fd()), int64(uint64(p)*z.size+e.first<<PageShift)); err != nil {
				return nil, errors.Join(fmt.Errorf("memory to share: %w", err), m.Close())
			}
		}
	}
	return m, nil
}

// Close gives the file up. Memories that have been made of it keep what they share.
func (z *Frozen) Close() error { return z.file.Close() }

// overlay discards pages of a memory that shares some: to discard a private copy would bring the shared page back.
func overlay(b []byte) error {
	if remap(b, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE, -1, 0) != nil {
		clear(b) // a process has so many mappings, and no more
	}
	return nil
}

func (b *bitmap) clone() bitmap {
	c := bitmap{chunk: slices.Clone(b.chunk)}
	for i := range c.chunk {
		c.chunk[i] = slices.Clone(c.chunk[i])
	}
	return c
}
