package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// mapFile writes and reads a file by a shared mapping of it and by calls, while its size changes, beside a private one.
func mapFile() error {
	path := filepath.Join(os.TempDir(), "mapped")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 1024)
	_, err = f.Write(data)
	const both = syscall.PROT_READ | syscall.PROT_WRITE
	m, err2 := syscall.Mmap(int(f.Fd()), 0, 64<<10, both, syscall.MAP_SHARED)
	p, err3 := syscall.Mmap(int(f.Fd()), 4096, 4096, both, syscall.MAP_PRIVATE)
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	read := func(offset int64) string {
		b := make([]byte, 3)
		n, err := f.ReadAt(b, offset)
		return fmt.Sprintf("%q %v", b[:n], err)
	}
	fmt.Println(bytes.Equal(m[:len(data)], data))
	m[5000], p[1] = 'X', 'P'
	fmt.Println(read(4999), read(4096))
	_, err = f.WriteAt([]byte("YZ"), 8191)
	fmt.Printf("%s %v\n", m[8190:8194], err)
	err = f.Truncate(40 << 10)
	m[39<<10] = 'g'
	fmt.Println(read(39<<10), err)
	err = errors.Join(f.Truncate(5000), f.Truncate(16384))
	fmt.Println(m[4999], m[5000], m[12000], err)
	// The file lives on in its mappings.
	err = errors.Join(os.Remove(path), f.Close())
	m[1] = 'q'
	fmt.Printf("%s %s %v\n", m[:4], p[:4], err)
	return errors.Join(syscall.Munmap(p), syscall.Munmap(m))
}
