//go:build linux && amd64

package kernel

import "unsafe"

// unserved ends the guest for a system call that it does not have, and says who has made it. To return ENOSYS would
// leave it to the program to say so, or not.
func (k *kernel) unserved(t *thread) {
	k.alone()
	k.lineStart()
	k.puts("guest: no system call ")
	k.dec(t.call)
	k.puts(", called by ")
	k.putsCallers(&t.frame)
	k.puts("\n")
	k.end(statusUnserved)
}

// statusUnserved is the exit status of a program that was ended for a system call that is not served.
const statusUnserved = 125

// putsCallers prints which functions of the program have called one another, the last one first, by frame pointers,
// which Go code keeps.
func (k *kernel) putsCallers(f *frame) {
	k.putsFunction(f.ip)
	bp := f.bp
	for range 16 {
		if bp&7 != 0 || !k.reach(bp, 16, canRead) {
			return
		}
		next, ip := *at(bp), *at(bp + 8)
		if ip == 0 {
			return
		}
		k.puts(" ← ")
		k.putsFunction(ip - 1) // in the call
		if next <= bp {
			return
		}
		bp = next
	}
}

// putsFunction prints the name of the function that an address is in, by the image's table: how many there are, then for
// each, in ascending order, its address and where in the table its name is; then the names, each with a 0 at its end.
func (k *kernel) putsFunction(ip uint64) {
	if !k.embedded() {
		k.hex(ip)
		return
	}
	table := k.payload.bytes(payloadFunctions)
	if len(table) < 8 {
		k.hex(ip)
		return
	}
	base := addressOfBytes(table)
	n := min(*at(base), uint64(len(table)-8)/16)
	low, high := uint64(0), n
	for low < high {
		if mid := (low + high) / 2; *at(base + 8 + 16*mid) <= ip {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		k.hex(ip)
		return
	}
	from := *at(base + 8 + 16*(low-1) + 8)
	end := from
	for end < uint64(len(table)) && table[end] != 0 {
		end++
	}
	if from >= end {
		k.hex(ip)
		return
	}
	name := table[from:end]
	k.puts(unsafe.String(&name[0], len(name)))
}
