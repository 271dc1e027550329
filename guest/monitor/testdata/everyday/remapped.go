package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

const page = 4 << 10

// memory is a mapping, by its address.
type memory struct{ at, n uintptr }

func (m memory) bytes() []byte {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&m.at))), m.n)
}

func (m *memory) remap(n, flags uintptr) error {
	at, _, e := syscall.Syscall6(syscall.SYS_MREMAP, m.at, m.n, n, flags, 0, 0)
	if e != 0 {
		return e
	}
	m.at, m.n = at, n
	return nil
}

func mapMemory(fd, n, flags uintptr) (memory, error) {
	at, _, e := syscall.Syscall6(syscall.SYS_MMAP, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, flags, fd, 0)
	if e != 0 {
		return memory{}, e
	}
	return memory{at, n}, nil
}

// check says how many pages do not hold what fill has written.
func (m memory) fill(from int) {
	b := m.bytes()
	for i := from * page; i < len(b); i += page {
		b[i], b[i+1] = byte(i/page), byte(i/page>>8)
	}
}

func (m memory) wrong() (n int) {
	b := m.bytes()
	for i := 0; i < len(b); i += page {
		if b[i] != byte(i/page) || b[i+1] != byte(i/page>>8) {
			n++
		}
	}
	return n
}

// remapped grows, moves and shrinks memory and files that are mapped: large pages, too, and parts of them.
func remapped() error {
	const private = syscall.MAP_PRIVATE | syscall.MAP_ANON
	const mayMove = 1
	for _, size := range []uintptr{3 * page, 5 << 20, 4<<20 + 7*page} {
		m, err := mapMemory(^uintptr(0), size, private)
		if err != nil {
			return err
		}
		m.fill(0)
		// Something right after it, so that it cannot grow where it is.
		after, _, e := syscall.Syscall6(syscall.SYS_MMAP, m.at+m.n, page, syscall.PROT_READ, private|0x10_0000, ^uintptr(0), 0)
		stays := m.remap(2*size, 0)
		moved := m.remap(2*size, mayMove)
		m.fill(int(size / page))
		fmt.Println(e == 0 || e == syscall.EEXIST, stays, moved, m.wrong(), m.bytes()[2*size-1])
		part := memory{m.at + 3*page, m.n - 3*page} // of which the large pages lie otherwise
		err = part.remap(part.n+(8<<20), mayMove)
		part.n -= 8 << 20
		for i := range part.bytes() {
			if i%page == 0 && part.bytes()[i] != byte(i/page+3) {
				return fmt.Errorf("page %d holds %d", i/page, part.bytes()[i])
			}
		}
		fmt.Println(err, memory{m.at, 3 * page}.wrong())
		err = part.remap(page, mayMove)
		fmt.Println(err, part.bytes()[0], len(part.bytes()))
		if e == 0 {
			_, _, _ = syscall.Syscall(syscall.SYS_MUNMAP, after, page, 0)
		}
	}
	one, err := mapMemory(^uintptr(0), 2*page, private)
	if err != nil {
		return err
	}
	_, _, e := syscall.Syscall6(syscall.SYS_MREMAP, one.at+1, page, page, mayMove, 0, 0)
	_, _, e2 := syscall.Syscall6(syscall.SYS_MREMAP, one.at, page, 0, mayMove, 0, 0)
	_, _, e3 := syscall.Syscall6(syscall.SYS_MREMAP, 1<<46, page, page, mayMove, 0, 0)
	fmt.Println(e, e2, e3)
	return inDirectory(func(dir string) error {
		f, err := os.Create(filepath.Join(dir, "mapped"))
		if err != nil {
			return err
		}
		m, err := mapMemory(f.Fd(), page, syscall.MAP_SHARED)
		if err := errors.Join(err, f.Truncate(64*page)); err != nil {
			return err
		}
		m.bytes()[5] = 'a'
		err = m.remap(64*page, mayMove)
		m.bytes()[63*page] = 'z'
		b := make([]byte, 1)
		_, err1 := f.ReadAt(b, 5)
		_, err2 := f.ReadAt(b, 63*page)
		fmt.Printf("%s %c %v\n", b, m.bytes()[5], errors.Join(err, err1, err2, m.remap(2*page, 0)))
		_, err = f.WriteAt([]byte("q"), page)
		fmt.Printf("%c %v %v\n", m.bytes()[page], err, f.Close())
		return nil
	})
}
