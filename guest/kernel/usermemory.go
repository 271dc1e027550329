//go:build linux && amd64

package kernel

import "unsafe"

// What the program hands over in a system call is the program's word: an address counts where the program has mapped it.

// inProgram says whether n bytes from a on lie in the program's part of the address space.
func (k *kernel) inProgram(a, n uint64) bool {
	end := uint64(1 << 47)
	if k.embedded() {
		end = linkBase
	}
	return a >= userStart && a < end && n <= end-a
}

// reach says whether the program may access n bytes from a on in a way.
func (k *kernel) reach(a, n uint64, how uint8) bool {
	if n == 0 {
		return true
	}
	if !k.inProgram(a, n) {
		return false
	}
	if !k.embedded() { // its variables are the kernel's neighbours, in no area
		return true
	}
	for {
		r := k.space.find(a)
		if r.kind&how != how {
			return false
		}
		if rest := r.end - a; rest >= n {
			return true
		}
		n -= r.end - a
		a = r.end
	}
}

// bytesVA is memory that can be reached.
func bytesVA(a, n uint64) []byte { return unsafe.Slice((*byte)(pointer(a)), n) }

// A path is a name that the program hands over.
const maxPath = 4096

// readPath returns the text at an address, up to the 0 at its end; ok is false where it cannot be reached or is too long.
func (k *kernel) readPath(a uint64) (path []byte, errno uint64) {
	for n := uint64(0); n < maxPath; n++ {
		if (n == 0 || (a+n)&pageMask == 0) && !k.reach(a+n, 1, canRead) {
			return nil, efault
		}
		if *(*byte)(pointer(a + n)) == 0 {
			return bytesVA(a, n), 0
		}
	}
	return nil, enametoolong
}

// duration reads a struct timespec; negative where there is none.
func (k *kernel) duration(a uint64) int64 {
	if a == 0 || !k.reach(a, 16, canRead) {
		return -1
	}
	seconds, ns := *at(a), *at(a + 8)
	return int64(min(seconds, 1<<32)*1e9 + min(ns, 1e9))
}

// up rounds to whole pages.
func up(n uint64) uint64 { return (n + pageMask) &^ pageMask }
