// Package codemem is memory for machine code that is made while the process runs. No byte of it can be written and
// executed at one address.
//
// On Linux for amd64 the memory is a file without a name, mapped twice: once to be written, once to be read and executed. On
// arm64, and on macOS, it is one mapping whose protection is switched around each write, since QEMU's user emulation, under
// which arm64 is tested, does not see what is written to code by another mapping; on macOS that has been compiled, and not
// been run. Other systems have none, and neither has a process that may not map memory to be executed (SELinux's execmem, a
// seccomp filter): [New] says so.
package codemem

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// ErrUnsupported is what New returns where this package has no way to have memory for code.
var ErrUnsupported = errors.New("no memory for machine code on this system")

// Page is the largest size that a page of a host's has.
const Page = 64 << 10

// Max is the largest memory that there is: its code is to reach all of it with 32 bits.
const Max = 1 << 30

// A Memory is memory for code. It is not safe for concurrent use; it must not be written to while code in it runs on
// another thread.
type Memory struct {
	maps    *mappings
	cleanup runtime.Cleanup
}

// mappings are what the host has given: what remains to be given back is in a value of its own, which a cleanup can hold.
type mappings struct {
	code  []byte // executable, never written through where data is another mapping
	data  []byte // the same bytes, to be written; where it is switched the same mapping
	plain int    // the first bytes, which are no code and can be written always
}

// New returns a memory of n bytes, a multiple of [Page], at most [Max]. Its first bytes, as many as data says, a multiple of
// [Page] too, are no code but what code reads; where protection is switched theirs is not, and to write there costs little.
// The host backs what is written to. Close gives it back; so does the garbage collector, if nothing refers to the Memory
// any more.
func New(n, data int) (*Memory, error) {
	if n <= 0 || n > Max || n%Page != 0 || data < 0 || data > n || data%Page != 0 {
		return nil, fmt.Errorf("memory for %d bytes of code, of them %d of data: want multiples of %d up to %d", n, data, Page, Max)
	}
	maps, err := reserve(n, data)
	if err != nil {
		return nil, fmt.Errorf("memory for %d bytes of code: %w", n, err)
	}
	maps.plain = data
	m := &Memory{maps: maps}
	m.cleanup = runtime.AddCleanup(m, func(maps *mappings) { _ = maps.release() }, maps)
	return m, nil
}

// Close gives the memory back. No code of it may run any more.
func (m *Memory) Close() error {
	if m.maps == nil {
		return nil
	}
	m.cleanup.Stop()
	err := m.maps.release()
	m.maps = nil
	return err
}

// Size returns the memory's size in bytes.
func (m *Memory) Size() int { return len(m.maps.code) }

// Address returns the address at which the byte at offset can be executed and read.
func (m *Memory) Address(offset int) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(m.maps.code))) + uintptr(offset)
}

// Write copies b to offset. It is either data or code.
func (m *Memory) Write(offset int, b []byte) error {
	end := offset + len(b)
	switch {
	case offset < 0 || len(b) > m.Size()-offset:
		return fmt.Errorf("%d bytes of code at %#x: outside a memory of %#x", len(b), offset, m.Size())
	case end <= m.maps.plain:
		copy(m.maps.data[offset:], b)
		return nil
	case offset < m.maps.plain:
		return fmt.Errorf("%d bytes at %#x: both data and code, which begins at %#x", len(b), offset, m.maps.plain)
	}
	return m.maps.write(offset, b)
}
