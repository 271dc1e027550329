//go:build linux && amd64

package kernel

import "github.com/tacit-vm/tacit/uefi"

// What the load options tell the kernel to do about unaccepted memory.
const (
	acceptLazily  = iota // when it is needed
	acceptEagerly        // before the program starts
	acceptUnknown        // nothing: to be a system that has never heard of it
)

// loadOptions reads the load options of the image (UEFI 2.10, section 9.1): of no fixed format; here they are UCS-2, of
// which ASCII counts, or nothing.
func (k *kernel) loadOptions() {
	iface, status := k.boot.handleProtocol(k.boot.handle, &uefi.LoadedImageProtocolGUID)
	if status != uefi.Success {
		return
	}
	n := *at(iface + uefi.LoadedImageLoadOptionsSize) & 0xFFFF_FFFF
	from := *at(iface + uefi.LoadedImageLoadOptions)
	for i := uint64(0); from != 0 && i+2 <= n && k.optionsN < len(k.options); i += 2 {
		c := *(*uint16)(pointer(from + i))
		if c == 0 {
			break
		}
		if c > 0x7E {
			c = ' '
		}
		k.options[k.optionsN] = byte(c)
		k.optionsN++
	}
	for _, o := range [...]struct {
		word string
		what uint64
	}{{"unaccepted=lazy", acceptLazily}, {"unaccepted=eager", acceptEagerly}, {"unaccepted=unknown", acceptUnknown}} {
		if k.hasWord(o.word) {
			k.acceptance = o.what
		}
	}
}

// hasWord says whether the load options have a word.
func (k *kernel) hasWord(word string) bool {
	start := 0
	for i := 0; i <= k.optionsN; i++ {
		if i < k.optionsN && k.options[i] > ' ' {
			continue
		}
		if string(k.options[start:i]) == word {
			return true
		}
		start = i + 1
	}
	return false
}
