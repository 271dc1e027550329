//go:build linux && amd64

package kernel

import "unsafe"

// A text is a file that the kernel writes.
type text struct {
	p    *processor
	n    *node
	full bool // there was no memory for all of it
}

func (w *text) puts(s string) {
	if !w.full && k.writeNode(w.p, w.n, w.n.size, addressOfBytes(bytesOf(s)), uint64(len(s))) != uint64(len(s)) {
		w.full = true
	}
}

// hex writes a number with at least so many digits.
func (w *text) hex(v uint64, least int) {
	started := false
	for digits := 16; digits > 0; digits-- {
		d := v >> (4 * (digits - 1)) & 15
		if started = started || d != 0 || digits <= least; started {
			w.puts("0123456789abcdef"[d : d+1])
		}
	}
}

func (w *text) dec(v uint64) {
	var digits [20]byte
	w.puts(decimal(&digits, v))
}

// letters writes the four characters of a register of CPUID, up to a 0.
func (w *text) letters(v uint32) {
	for ; v&0xFF != 0; v >>= 8 {
		c := [1]byte{byte(v)}
		w.puts(unsafe.String(&c[0], 1))
	}
}

// decimal is a number's digits, at the end of the room for them.
func decimal(digits *[20]byte, v uint64) string {
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			return unsafe.String(&digits[i], len(digits)-i)
		}
	}
}
