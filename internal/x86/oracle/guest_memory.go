package oracle

import (
	"bytes"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// Selectors and descriptors as Linux has them, because user code can read the selectors.
const (
	kernelCS = 0x10
	userSS   = 0x2B
	userCS   = 0x33
	tssAt    = 0x40
)

func (g *Interpreter) build() error {
	for _, w := range []struct {
		gpa   uint64
		words []uint64
	}{
		// From selector 8 on (Linux, arch/x86/include/asm/segment.h): the kernel's 32-bit and 64-bit code and its data,
		// the user's 32-bit code, data and 64-bit code.
		{gpaGDT + 8, []uint64{
			0x00CF9B00_0000FFFF, 0x00AF9B00_0000FFFF, 0x00CF9300_0000FFFF,
			0x00CFFB00_0000FFFF, 0x00CFF300_0000FFFF, 0x00AFFB00_0000FFFF,
		}},
		{gpaTSS, []uint64{(kernelStack & 0xFFFF_FFFF) << 32, kernelStack >> 32}}, // RSP0 is at 4
		{gpaTSS + 0x60, []uint64{0x68 << 48}},                                    // the I/O permission bitmap begins after the limit
		{gpaIDT, interruptGates()},
	} {
		if err := g.words(w.gpa, w.words...); err != nil {
			return err
		}
	}
	if err := g.mapPages(); err != nil {
		return err
	}
	if err := g.mem.Write(physical.Private, gpaCode, bytes.Repeat([]byte{0xCC}, codePages*pageSize)); err != nil {
		return err
	}
	s := &g.start
	s.CR0 = x86.CR0PE | x86.CR0MP | x86.CR0ET | x86.CR0NE | x86.CR0WP | x86.CR0AM | x86.CR0PG
	s.CR4 = x86.CR4PAE | x86.CR4DE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4UMIP | x86.CR4FSGSBASE | x86.CR4OSXSAVE | x86.CR4SMEP | x86.CR4SMAP
	s.EFER = x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	s.CR3, s.XCR0, s.CPL = gpaTables, 3, 3
	s.GDTR = x86.Table{Base: kernelBase + gpaGDT, Limit: 0x7F}
	s.IDTR = x86.Table{Base: kernelBase + gpaIDT, Limit: 32*16 - 1}
	s.TR = x86.Segment{Selector: tssAt, Attr: 0x8B, Limit: 0x67, Base: kernelBase + gpaTSS}
	s.Seg[1] = x86.Segment{Selector: userCS, Attr: 0xA0FB, Limit: 0xFFFF_FFFF}
	s.Seg[2] = x86.Segment{Selector: userSS, Attr: 0xC0F3, Limit: 0xFFFF_FFFF}
	s.Seg[4].Base, s.Seg[5].Base = fsBase, gsBase

	return nil
}

const kernelStack = kernelBase + gpaStack + pageSize

// Bits of page-table entries (SDM vol. 3, table 5-20).
const (
	present  = 1 << 0
	writable = 1 << 1
	user     = 1 << 2
	accessed = 1 << 5
	dirty    = 1 << 6
	noExec   = 1 << 63
)

// mapPages maps the windows as the child has them, and the rest for the supervisor.
func (g *Interpreter) mapPages() error {
	for page := range uint64(codePages) {
		if err := g.mapPage(codeBase+page*pageSize, gpaCode+page*pageSize|user); err != nil {
			return err
		}
	}
	for page := range uint64(arenaPages) {
		entry := gpaArena + page*pageSize | user | noExec
		if page != arenaReadOnly {
			entry |= writable
		}
		if err := g.mapPage(arenaBase+page*pageSize, entry); err != nil {
			return err
		}
	}
	for gpa := uint64(gpaGDT); gpa <= gpaTrap; gpa += pageSize {
		if err := g.mapPage(kernelBase+gpa, gpa|writable); err != nil {
			return err
		}
	}
	return nil
}

// mapPage sets the entry of a 4 KiB page, making tables as needed.
func (g *Interpreter) mapPage(va, entry uint64) error {
	table := uint64(gpaTables)
	for shift := 39; shift > 12; shift -= 9 {
		at := table + va>>shift&0x1FF*8
		var b [8]byte
		if err := g.mem.Read(physical.Private, at, b[:]); err != nil {
			return err
		}
		v := binary.LittleEndian.Uint64(b[:])
		if v == 0 {
			v = g.next | present | writable | user | accessed
			g.next += pageSize
			if err := g.words(at, v); err != nil {
				return err
			}
		}
		table = v &^ (pageSize - 1)
	}
	return g.words(table+va>>12&0x1FF*8, entry|present|accessed|dirty)
}

// interruptGates returns 32 gates to the trap addresses; user code may use INT3 and INT 4, as in Linux.
func interruptGates() (words []uint64) {
	for vector := range uint64(32) {
		handler := uint64(kernelBase + gpaTrap + vector*handlerBytes)
		attributes := uint64(0x8E00)
		if vector == 3 || vector == 4 {
			attributes |= 3 << 13
		}
		words = append(words, handler&0xFFFF|kernelCS<<16|attributes<<32|handler>>16&0xFFFF<<48, handler>>32)
	}
	return words
}

func (g *Interpreter) words(gpa uint64, words ...uint64) error {
	for i, w := range words {
		if err := g.mem.Write(physical.Private, gpa+uint64(i)*8, binary.LittleEndian.AppendUint64(nil, w)); err != nil {
			return err
		}
	}
	return nil
}
