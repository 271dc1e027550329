//go:build linux

package main

import (
	"syscall"
	"unsafe"
)

// The kernel that is started after a crash finds what the crashed one had in memory as /proc/vmcore: a header, then the memory in
// whole pages. What has been read is known by pages that the first kernel's init has marked, and by zeros, which memory reads as
// that was never accepted.

// marked is how many pages are marked.
const marked = 256

// mark fills pages, each with numbers of its own, and leaves them.
func mark() {
	memory, err := syscall.Mmap(-1, 0, marked*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return // then none are found
	}
	for i := range uint64(marked) {
		for j, words := uint64(0), wordsOf(memory[i*page:]); j < pageWords; j++ {
			words[j] = markAt(i, j)
		}
	}
}

const pageWords = page / 8

// wordsOf are those of the page that begins here, which is at a multiple of 8.
func wordsOf(b []byte) *[pageWords]uint64 { return (*[pageWords]uint64)(unsafe.Pointer(&b[:page][0])) }

// markAt is a word of a marked page. Each of all pages is another one, and none is 0.
func markAt(number, word uint64) uint64 {
	const odd = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio
	return (number*pageWords + word + 1) * odd
}

// A contents says what was found in memory.
type contents struct {
	bytes uint64
	zeros uint64       // pages of nothing else
	found [marked]bool // which marked pages, whole
}

// look looks at the next page.
func (c *contents) look(words *[pageWords]uint64) {
	some := uint64(0)
	for i := 0; i < pageWords && some == 0; i += 8 {
		some = words[i] | words[i+1] | words[i+2] | words[i+3] | words[i+4] | words[i+5] | words[i+6] | words[i+7]
	}
	if some == 0 {
		c.zeros++
		return
	}
	for number := range uint64(marked) {
		if words[0] != markAt(number, 0) {
			continue
		}
		for j := range uint64(pageWords) {
			if words[j] != markAt(number, j) {
				return
			}
		}
		c.found[number] = true
		return
	}
}

// marks is how many of the marked pages were found.
func (c *contents) marks() (n uint64) {
	for _, found := range c.found {
		if found {
			n++
		}
	}
	return n
}

// core reads all of the memory of a kernel that has crashed, where this one was started after it, and says what it found.
func (r *reporter) core() {
	core, err := syscall.Open("/proc/vmcore", syscall.O_RDONLY, 0)
	if err != nil {
		return
	}
	buffer, err := syscall.Mmap(-1, 0, len(r.buffer), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		r.check("vmcore: mmap", err)
		return
	}
	var c contents
	for held := 0; ; {
		n, err := syscall.Read(core, buffer[held:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			r.check("vmcore", err)
			return
		}
		if n == 0 {
			break
		}
		c.bytes += uint64(n)
		held += n
		whole := held &^ (page - 1)
		for at := 0; at < whole; at += page {
			c.look(wordsOf(buffer[at:]))
		}
		held = copy(buffer, buffer[whole:held])
	}
	const pagesPerMiB = 1 << 20 / page
	console("tacit: vmcore read, MiB: " + decimal(c.bytes>>20) + ", zeros: " + decimal(c.zeros/pagesPerMiB) + ", marked pages: " + decimal(c.marks()) + "\n")
}

func decimal(n uint64) string {
	var digits [20]byte
	at := len(digits)
	for at == len(digits) || n > 0 {
		at--
		digits[at] = byte('0' + n%10)
		n /= 10
	}
	return string(digits[at:])
}
