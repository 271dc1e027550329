package vm

import (
	"encoding/binary"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// This file finds out what a Linux kernel is told of its memory: the e820 map in its boot_params, to which RSI points when it
// is entered (Linux: Documentation/arch/x86/boot.rst and zero-page.rst). A loader goes there by way of code of its own, in
// whatever mode of the processor.

// Offsets in boot_params.
const (
	paramsEntries = 0x1E8 // UINT8
	paramsMagic   = 0x202
	paramsMap     = 0x2D0
	paramsSize    = 0x1000

	e820Entry  = 20 // bytes: address, size, type
	e820Usable = 1
	e820Most   = 128
)

// maxStretches is how many stretches of a loader's own code are followed to the kernel. GRUB's modules, which call each other,
// are in several.
const maxStretches = 1 << 14

// maxOwnStretches is the same for a kernel's own stub, which goes straight to the kernel.
const maxOwnStretches = 16

// A kernelPath is how far that is.
type kernelPath struct {
	stretches int // that have been followed
	told      *record.KernelMemory
}

func (k *kernelPath) carry(s *state.Stream) {
	state.Numbers(s, &k.stretches)
	state.Optional(s, &k.told, func(t *record.KernelMemory) {
		t.Stamp.Carry(s)
		state.Numbers(s, &t.Usable, &t.Kept)
	})
}

// byLoader says whether a loader has left boot services that is no kernel. It has come from a disk: an image that the machine
// was given has no kernel to load from anywhere, and what it goes on to is its own.
func (m *Machine) byLoader() bool {
	if len(m.cfg.Image.Data) > 0 {
		return false
	}
	p := m.boot.Path()
	return !slices.ContainsFunc(p.Images, func(i record.PathImage) bool { return i.Linux != "" && i.Name == p.LeftBy })
}

// atFence looks for boot_params where the processor has left the EFI stub or the loader, or a stretch of code after it.
func (m *Machine) atFence(c *x86.CPU) {
	if m.cfg.isStock() {
		m.reached(record.KernelEntry)
		return
	}
	k, byLoader := &m.kernelPath, m.byLoader()
	at := c.R[x86.RSI]
	if c.State().EFER&x86.EFERLMA == 0 {
		at &= 0xFFFF_FFFF
	}
	k.told = m.bootParams(at, byLoader)
	if k.stretches++; byLoader && (k.told != nil || k.stretches == maxStretches) || !byLoader && k.stretches == 1 {
		m.reached(record.KernelEntry)
	}
	if most := map[bool]int{true: maxStretches, false: maxOwnStretches}[byLoader]; k.told != nil || k.stretches == most {
		return
	}
	stretch := m.boot.Region(c.RIP())
	if stretch.Empty() || !byLoader {
		page := c.RIP() &^ 0xFFF
		stretch = accept.Range{Start: page, End: page + 0x1000}
	}
	c.Fence(stretch.Start, stretch.End)
}

// bootParams reads what is at an address, if that is boot_params. A kernel's own stub leaves out the header's magic, which a
// loader does not.
func (m *Machine) bootParams(at uint64, byLoader bool) *record.KernelMemory {
	var b [paramsSize]byte
	if at&7 != 0 || m.cpu().ReadVirtual(at, b[:]) != nil || byLoader && string(b[paramsMagic:paramsMagic+4]) != "HdrS" {
		return nil
	}
	k := &record.KernelMemory{Stamp: m.stamp()}
	end, n := uint64(0), int(b[paramsEntries])
	if n == 0 || n > e820Most {
		return nil
	}
	for i := range n {
		e := b[paramsMap+i*e820Entry:][:e820Entry]
		start, size, kind := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint32(e[16:])
		if start < end || size == 0 || start+size < start || kind == 0 {
			return nil
		}
		if end = start + size; kind == e820Usable {
			k.Usable += size
		} else {
			k.Kept += size
		}
	}
	return k
}
