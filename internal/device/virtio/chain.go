package virtio

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxRequest is how many bytes a request may have, of both kinds together. Linux's requests to a disk are a few MiB at most.
const maxRequest = 16 << 20

// A chain is the memory of one request: what the device may read, and what it may write after that (2.7.4).
type chain struct {
	device   *Device
	readable []segment
	writable []segment
	in, out  uint64 // bytes left of each: what the device may write, and read

	written uint64 // bytes so far
	moved   uint64 // bytes in both directions
	refused error  // the first access that was refused
}

type segment struct {
	gpa    uint64
	length uint32
}

// chain walks the descriptors of a request.
func (d *Device) chain(q *queue, head uint16) (*chain, error) {
	c := &chain{device: d}
	table, size := q.desc, uint32(q.size)
	indirect := false
	at, count := uint32(head), uint32(0)
	for {
		if at >= size {
			return nil, fmt.Errorf("descriptor %d of %d", at, size)
		}
		if count++; count > size {
			return nil, fmt.Errorf("descriptors that lead in a circle, from %d on", head)
		}
		var b [descSize]byte
		if err := d.load(table+uint64(at)*descSize, b[:]); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", at, err)
		}
		le := binary.LittleEndian
		gpa, length, flags, next := le.Uint64(b[:]), le.Uint32(b[8:]), le.Uint16(b[12:]), le.Uint16(b[14:])
		if flags&descIndirect != 0 {
			switch {
			case indirect || flags&descNext != 0 || d.accepted&featureIndirect == 0:
				return nil, fmt.Errorf("descriptor %d: an indirect table where none may be", at)
			case length == 0 || length%descSize != 0 || length/descSize > queueMax:
				return nil, fmt.Errorf("descriptor %d: an indirect table of %d bytes", at, length)
			}
			indirect, table, size, at, count = true, gpa, length/descSize, 0, 0
			continue
		}
		if err := c.add(segment{gpa, length}, flags&descWrite != 0); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", at, err)
		}
		if flags&descNext == 0 {
			return c, nil
		}
		at = uint32(next)
	}
}

func (c *chain) add(s segment, writable bool) error {
	switch {
	case s.gpa+uint64(s.length) < s.gpa:
		return fmt.Errorf("%d bytes at %#x", s.length, s.gpa)
	case c.in+c.out+uint64(s.length) > maxRequest:
		return fmt.Errorf("a request of more than %d bytes", maxRequest)
	case writable:
		c.writable, c.in = append(c.writable, s), c.in+uint64(s.length)
	case len(c.writable) > 0:
		return fmt.Errorf("memory to be read after memory to be written")
	default:
		c.readable, c.out = append(c.readable, s), c.out+uint64(s.length)
	}
	return nil
}

// read reads the next bytes of the request.
func (c *chain) read(b []byte) error {
	return c.transfer(&c.readable, &c.out, b, c.device.load)
}

// write writes the next bytes of the answer.
func (c *chain) write(b []byte) error {
	err := c.transfer(&c.writable, &c.in, b, c.device.store)
	if err == nil {
		c.written += uint64(len(b))
	}
	return err
}

// skip leaves all of the answer but its last n bytes as it is.
func (c *chain) skip(n uint64) {
	for c.in > n {
		s := &c.writable[0]
		step := uint32(min(c.in-n, uint64(s.length)))
		s.gpa, s.length, c.in = s.gpa+uint64(step), s.length-step, c.in-uint64(step)
		if s.length == 0 {
			c.writable = c.writable[1:]
		}
	}
}

func (c *chain) transfer(segments *[]segment, left *uint64, b []byte, access func(uint64, []byte) error) error {
	if uint64(len(b)) > *left {
		return io.ErrUnexpectedEOF
	}
	for len(b) > 0 {
		s := &(*segments)[0]
		n := min(uint32(len(b)), s.length)
		if n > 0 {
			if err := access(s.gpa, b[:n]); err != nil {
				if c.refused == nil {
					c.refused = err
				}
				return err
			}
		}
		s.gpa, s.length, b = s.gpa+uint64(n), s.length-n, b[n:]
		*left -= uint64(n)
		c.moved += uint64(n)
		if s.length == 0 {
			*segments = (*segments)[1:]
		}
	}
	return nil
}
