package firmware

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
)

// Where RAM is.
const (
	// Between these a PC has video memory and ROMs. Firmware accepts it as ordinary private memory, since kernels look
	// for ROMs there (Linux: arch/x86/kernel/probe_roms.c), and does not hand it out.
	legacyStart = 0xA_0000
	legacyEnd   = 0x10_0000

	maxMemory = 15 << 40 // leaves the last address within mem.MaxSize
)

// A plan divides RAM into what firmware accepts before anything else and what it leaves.
type plan struct {
	accepted, unaccepted []accept.Range
}

func (c *Config) plan(need uint64) plan {
	var p plan
	amount := c.FirmwareAccepts
	if amount == AcceptBelow4G {
		amount = physical.LowEnd
	}
	amount = min(max(amount, need), c.TotalMemory)
	if !c.Unaccepted || c.Policy == Eager {
		amount = c.TotalMemory
	}
	for _, ram := range physical.RAM(c.TotalMemory) {
		split := ram
		split.Start += min(amount+accept.UnitSize-1, ram.Len()) &^ (accept.UnitSize - 1)
		amount -= min(amount, ram.Len())
		p.divide(accept.Range{Start: ram.Start, End: split.Start}, split, c.Misalign)
	}
	if c.UnacceptedTable {
		p.keepUnits()
	}
	return p
}

// keepUnits accepts what a table cannot say of the memory that is left.
func (p *plan) keepUnits() {
	left := p.unaccepted
	p.unaccepted = nil
	for _, r := range left {
		head, tracked, tail := accept.Split(r, r.AlignOut(accept.UnitSize))
		p.accept(head)
		p.accept(tail)
		if !tracked.Empty() {
			p.leave(tracked)
		}
	}
}

// Linux's stub accepts a range shorter than this at once, whole, and the odd ends of a longer one (accept.Split).
const shortest = 2 * accept.UnitSize

// divide adds the parts of one stretch of RAM: first what is accepted in any case, then what is left, of which the ends
// go back to the accepted part where they are to be off their natural boundaries.
func (p *plan) divide(accepted, left accept.Range, misalign bool) {
	// The lengths are odd numbers of pages, all different, to tell them apart in a record.
	const head, short, gap, tail = 5 * pageSize, 769 * pageSize, 3 * pageSize, 7 * pageSize
	switch {
	case left.Len() < shortest:
		p.accept(accept.Range{Start: accepted.Start, End: left.End})
	case !misalign || left.Len() < head+short+gap+shortest+tail:
		p.accept(accepted)
		p.leave(left)
	default:
		first := accept.Range{Start: left.Start + head, End: left.Start + head + short}
		second := accept.Range{Start: first.End + gap, End: left.End - tail}
		p.accept(accept.Range{Start: accepted.Start, End: first.Start})
		p.leave(first)
		p.accept(accept.Range{Start: first.End, End: second.Start})
		p.leave(second)
		p.accept(accept.Range{Start: second.End, End: left.End})
	}
}

func (p *plan) accept(r accept.Range) {
	if !r.Empty() {
		p.accepted = append(p.accepted, r)
	}
}

func (p *plan) leave(r accept.Range) { p.unaccepted = append(p.unaccepted, r) }

// need is how much memory has to be accepted for the image to come up, in bytes from address 0.
//
// A Linux kernel is placed by its stub at some 2 MiB boundary from 16 MiB on, at random; the initrd must find a gap
// beside it wherever that is, hence twice. A unified kernel image has both within and loads its kernel as an image of
// its own. Of others it is only known that they may load another one.
func (c *Config) need(image *peFile) uint64 {
	const (
		low   = 16 << 20 // Linux's default CONFIG_PHYSICAL_START
		own   = 2 << 20  // firmware's tables, pools and stack
		slack = 16 << 20 // what the image allocates

		// A loader from a disk brings a kernel and an initrd, which are not known yet: of a distribution's that much, twice.
		ofDisks = 192 << 20
	)
	if image == nil {
		return min(low+ofDisks, c.TotalMemory/2) + pageTablesSize(physical.RAM(c.TotalMemory)) + own + slack
	}
	load := uint64(image.sizeOfImage)
	start := 2 * load
	if size, ok := linuxInitSize(c.Image); ok {
		start = uint64(size) + accept.UnitSize
	} else {
		for _, s := range image.sections {
			if s.Size == 0 {
				continue // and its pointer may be anything
			}
			if size, ok := linuxInitSize(c.Image[s.Offset:][:s.Size]); ok {
				start = 2*load + uint64(size) + accept.UnitSize
			}
		}
	}
	return low + start + load + 2*uint64(len(c.Initrd)) + pageTablesSize(physical.RAM(c.TotalMemory)) + own + slack
}

// linuxInitSize returns how much memory a bzImage needs to start in, from its setup header's init_size
// (Linux: Documentation/arch/x86/boot.rst).
func linuxInitSize(image []byte) (uint32, bool) {
	const magic, version, initSize = 0x202, 0x206, 0x260
	if len(image) < initSize+4 || string(image[magic:magic+4]) != "HdrS" ||
		binary.LittleEndian.Uint16(image[version:]) < 0x020A {
		return 0, false
	}
	return binary.LittleEndian.Uint32(image[initSize:]), true
}
