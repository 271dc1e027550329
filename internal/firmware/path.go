package firmware

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// This file keeps the path from firmware to the kernel: which programs ran, who started them, and which memory maps they saw.
//
// Who calls a service is known by where it returns to. That may be in no image, but in memory that somebody has allocated: in
// a part of a loader that it has loaded itself, such as GRUB's modules, which counts as the loader; or in a kernel that it has
// loaded itself, as Debian's GRUB 2.12 does and as linuxefi of 2.06 does, which counts as a program of its own.

const (
	maxPathImages = 64
	maxTravellers = 256
)

// A traveller is memory with code, and whose that is.
type traveller struct {
	handle uint64 // of the image; 0 where it is none
	memory accept.Range
	index  int // in path.Images
}

// Path returns how far the run has come, with the slices that are firmware's own.
func (f *Firmware) Path() record.Path {
	p := f.path
	p.Images = slices.Clone(p.Images)
	for i, im := range p.Images {
		if im.Map != nil {
			m := *im.Map
			p.Images[i].Map = &m
		}
	}
	return p
}

// started notes an image that is started.
func (f *Firmware) started(im *image, by string) {
	f.travels(record.PathImage{Name: im.name, By: by, Linux: im.linux}, traveller{handle: im.handle, memory: im.memory})
}

// travels notes a program, and returns its index; -1 where there are too many.
func (f *Firmware) travels(p record.PathImage, t traveller) (index int) {
	if len(f.path.Images) >= maxPathImages || len(f.travellers) >= maxTravellers {
		f.path.More++
		return -1
	}
	p.Stamp = f.stamp()
	f.path.Images = append(f.path.Images, p)
	t.index = len(f.path.Images) - 1
	f.travellers = append(f.travellers, t)
	f.recent = len(f.travellers)
	return t.index
}

// callerIndex returns who called the service under way; -1 where that is not known.
func (f *Firmware) callerIndex() int {
	if t := f.callerTraveller(); t != nil {
		return t.index
	}
	return -1
}

func (f *Firmware) callerTraveller() *traveller {
	if i := f.recent - 1; i >= 0 && inside(f.travellers[i].memory, f.from) {
		return &f.travellers[i]
	}
	gpa, err := f.cpu.Translate(f.from, false)
	if err != nil {
		return nil
	}
	gpa &^= f.cfg.PrivateBit
	for i := len(f.travellers) - 1; i >= 0; i-- {
		if t := &f.travellers[i]; inside(t.memory, gpa) && (t.handle == 0 || f.image(t.handle) != nil) {
			f.recent = i + 1
			return t
		}
	}
	f.stranger(gpa)
	if f.recent == 0 {
		return nil
	}
	return &f.travellers[f.recent-1]
}

func inside(r accept.Range, address uint64) bool { return address >= r.Start && address < r.End }

// stranger finds out whose code it is that no image has.
func (f *Firmware) stranger(gpa uint64) {
	f.recent = 0
	i, starter := f.memory.at(gpa), f.running()
	if i >= len(f.memory.regions) || gpa < f.memory.regions[i].start || !allocatable(f.memory.regions[i].kind) || starter < 0 {
		return // firmware's own memory has no code
	}
	by := f.frames[starter].image
	at := slices.IndexFunc(f.travellers, func(t traveller) bool { return t.handle == by })
	if at < 0 || len(f.travellers) >= maxTravellers {
		return
	}
	loader, g := f.travellers[at].index, f.memory.regions[i]
	memory := accept.Range{Start: g.start, End: g.end}
	if start, release := f.kernelAround(memory, gpa); release != "" {
		memory.Start = start
		f.travels(record.PathImage{Name: release, By: f.path.Images[loader].Name, Outside: true, Linux: release}, traveller{memory: memory})
		return
	}
	f.travellers = append(f.travellers, traveller{memory: memory, index: loader})
	f.recent = len(f.travellers)
}

// handover is what a kernel is called that a loader has entered by its EFI handover entry: its header is not in memory, and
// with it what release it is (Linux: Documentation/arch/x86/boot.rst).
const handover = "Linux by its EFI handover entry"

// kernelAround looks for the kernel that an address is in: by its header, or else by what its EFI stub prints.
func (f *Firmware) kernelAround(memory accept.Range, gpa uint64) (start uint64, release string) {
	const most = 64 << 20 // bytes that are searched
	low := max(memory.Start, gpa-min(gpa, most)) &^ pageMask
	for at := gpa &^ pageMask; ; at -= pageSize {
		if release := linuxRelease(physicalFile{f, at, int64(memory.End - at)}); release != "" {
			return at, release
		}
		if at <= low {
			break
		}
	}
	b := make([]byte, min(memory.End-memory.Start, most))
	// The 32-bit entry, in front of all of it, begins with CLD and CLI (Linux: arch/x86/boot/compressed/head_64.S).
	if f.get(memory.Start, b) == nil && bytes.HasPrefix(b, []byte{0xFC, 0xFA}) && bytes.Contains(b, []byte("EFI stub: ")) {
		return memory.Start, handover
	}
	return 0, ""
}

// A physicalFile is guest-physical memory as a file.
type physicalFile struct {
	f    *Firmware
	at   uint64
	size int64
}

func (p physicalFile) ReadAt(b []byte, from int64) (int, error) {
	if from > p.size-int64(len(b)) {
		return 0, io.EOF
	}
	return len(b), p.f.get(p.at+uint64(from), b)
}

// linuxRelease returns the release that a bzImage says it is (Linux: Documentation/arch/x86/boot.rst, kernel_version); it is
// empty where r is none.
func linuxRelease(r io.ReaderAt) string {
	const magic, version, base, most = 0x202, 0x20E, 0x200, 64
	var b [version + 2 - magic]byte
	if _, err := r.ReadAt(b[:], magic); err != nil || string(b[:4]) != "HdrS" {
		return ""
	}
	var text [most]byte
	if _, err := r.ReadAt(text[:], base+int64(binary.LittleEndian.Uint16(b[version-magic:]))); err != nil {
		return ""
	}
	for i, c := range text {
		if c <= ' ' || c > '~' {
			return string(text[:i])
		}
	}
	return ""
}

// counted notes a call of a service.
func (f *Firmware) countCall() {
	if f.exited {
		return
	}
	if i := f.callerIndex(); i >= 0 {
		f.path.Images[i].Calls++
	}
}

// sawMap notes that the caller has got a memory map.
func (f *Firmware) sawMap() {
	i := f.callerIndex()
	if i < 0 {
		return
	}
	m := record.SeenMap{Stamp: f.stamp()}
	for _, g := range f.memory.regions {
		switch g.kind {
		case uefi.ConventionalMemory, uefi.LoaderCode, uefi.LoaderData, uefi.BootServicesCode, uefi.BootServicesData:
			m.Usable += g.end - g.start
		case uefi.UnacceptedMemory:
			m.Unaccepted += g.end - g.start
		default:
			m.Kept += g.end - g.start
		}
	}
	f.path.Images[i].Maps++
	f.path.Images[i].Map = &m
}

// leftBy notes who leaves boot services.
func (f *Firmware) leftBy() {
	i := f.callerIndex()
	if i < 0 {
		return
	}
	f.path.LeftBy, f.leaver = f.path.Images[i].Name, accept.Range{}
	for _, t := range f.travellers { // from one to the other of which a loader's parts call each other
		if t.index == i {
			f.leaver = f.leaver.Union(t.memory)
		}
	}
}
