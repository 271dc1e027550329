//go:build linux && amd64

package main

import (
	"unsafe"

	"github.com/tacit-vm/tacit/uefi"
)

// In entry_amd64.s.

func Entry()
func call(function, a, b, c, d, e uint64) uefi.Status
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
func rdmsr(index uint32) uint64

// at returns what is at an address.
func at[T any](address uint64) *T { return *(**T)(unsafe.Pointer(&address)) }

// address returns where v is.
func address[T any](v *T) uint64 { return uint64(uintptr(unsafe.Pointer(v))) }

// A firmware is the services that the program uses, through the system table at this address.
type firmware struct{ systemTable uint64 }

func (f firmware) bootService(s uefi.BootService, a, b, c, d, e uint64) uefi.Status {
	table := *at[uint64](f.systemTable + uefi.SystemTableBootServices)
	return call(*at[uint64](table + uint64(s)), a, b, c, d, e)
}

// mapBuffer has room for the memory map: of 48 bytes for each descriptor, more than 300.
var mapBuffer [16 << 10]byte

func (f firmware) memoryMap() uefi.MemoryMap {
	var size, key, stride, version uint64 = uint64(len(mapBuffer)), 0, 0, 0
	s := f.bootService(uefi.BSGetMemoryMap, address(&size), address(&mapBuffer), address(&key), address(&stride), address(&version))
	if s != uefi.Success || size > uint64(len(mapBuffer)) {
		f.fail("Firmware does not tell its memory map.\n")
	}
	m, err := uefi.ParseMemoryMap(mapBuffer[:size], stride)
	if err != nil {
		f.fail("Firmware's memory map is damaged.\n")
	}
	return m
}

// allocate returns n bytes of accepted memory, all zeros.
func (f firmware) allocate(n uint64) []byte {
	var place uint64
	pages := (n + uefi.PageSize - 1) / uefi.PageSize
	if f.bootService(uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(uefi.LoaderData), pages, address(&place), 0) != uefi.Success {
		f.fail("Firmware has no memory.\n")
	}
	b := unsafe.Slice(at[byte](place), n)
	clear(b)
	return b
}

// print prints a line or less on firmware's console, which takes UCS-2 and wants CR before LF.
func (f firmware) print(parts ...string) {
	var text [128]uint16
	n := 0
	for _, s := range parts {
		for i := range len(s) {
			if s[i] == '\n' {
				text[n] = '\r'
				n++
			}
			text[n] = uint16(s[i])
			n++
		}
	}
	console := *at[uint64](f.systemTable + uefi.SystemTableConOut)
	call(*at[uint64](console + uefi.TextOutputOutputString), console, address(&text), 0, 0, 0)
}

// printAmount prints a number of bytes, in MiB, and text after it.
func (f firmware) printAmount(n uint64, s string) {
	var digits [20]byte
	i := len(digits)
	for n >>= 20; i == len(digits) || n > 0; n /= 10 {
		i--
		digits[i] = byte('0' + n%10)
	}
	f.print(unsafe.String(&digits[i], len(digits)-i), " MiB", s)
}

func (f firmware) powerOff(s uefi.Status) {
	table := *at[uint64](f.systemTable + uefi.SystemTableRuntimeServices)
	call(*at[uint64](table + uint64(uefi.RTResetSystem)), uefi.ResetShutdown, uint64(s), 0, 0, 0)
}

// fail says what is wrong and ends the program.
func (f firmware) fail(s string) {
	f.print(s)
	f.powerOff(uefi.Aborted)
}
