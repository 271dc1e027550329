//go:build linux || darwin

package codemem

import "unsafe"

// synchronize makes the processor fetch what has been written to code: its caches for data and for instructions are not
// kept equal (Arm ARM, DDI 0487, B2.7.4.2).
func synchronize(code []byte) {
	if len(code) > 0 {
		from := uintptr(unsafe.Pointer(unsafe.SliceData(code)))
		synchronizeRange(from, from+uintptr(len(code)))
	}
}

//go:noescape
func synchronizeRange(from, to uintptr)
