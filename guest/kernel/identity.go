//go:build linux && amd64

package kernel

// What the system calls itself. The runtime has the kernel's version from it, which is to promise nothing.
const (
	systemName    = "tacit"
	hostName      = "guest"
	systemRelease = "0"
)

// uname fills in a struct new_utsname (include/uapi/linux/utsname.h).
func (k *kernel) uname(to uint64) uint64 {
	const field = 65
	texts := [...]string{systemName, hostName, systemRelease, "", "x86_64", ""}
	if !k.reach(to, field*uint64(len(texts)), canWrite) {
		return efault
	}
	for i, text := range texts {
		for j := range uint64(field) {
			c := uint8(0)
			if j < uint64(len(text)) {
				c = text[j]
			}
			*(*uint8)(pointer(to + field*uint64(i) + j)) = c
		}
	}
	return 0
}
