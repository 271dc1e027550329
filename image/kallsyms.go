package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// The kernel carries its symbol table compressed (Linux scripts/kallsyms.c and kernel/kallsyms.c), in the section
// .rodata and without a header. What these tables look like, each aligned to 8 bytes, in newer kernels (7.3) to 4:
//
//	num_syms      u32, the number n of symbols
//	names         n times: length (one byte, two if bit 7 of the first is set), then that many token numbers;
//	              a name's first character is its type, as nm has it
//	markers       u32 for every 256th symbol: its offset in names
//	token_table   256 strings, each ended by a zero byte; number 'x' is "x" for every character used in names
//	token_index   u16 for each token: its offset in token_table
//	offsets       i32 for each symbol, which gives its address in one of three ways; see addressModes
//	relative_base u64
//
// Up to 6.3 offsets and relative_base come before num_syms, from 6.4 on after token_index. Further tables lie between
// some of these. So only three neighbourhoods are relied on: token_index follows token_table, markers follow names
// follow num_syms, and offsets are in one of the two places.

// kallsyms reads the table out of the segments of a kernel.
func kallsyms(f *elf.File) ([]Symbol, error) {
	for _, segment := range f.Progs {
		if segment.Type != elf.PT_LOAD || segment.Vaddr < imageBase || segment.Filesz > maxVmlinux {
			continue
		}
		b, err := io.ReadAll(segment.Open())
		if err != nil {
			return nil, err
		}
		if found := kallsymsIn(b, segment.Vaddr); found != nil {
			return found, nil
		}
	}
	return nil, errors.New("no symbol table (CONFIG_KALLSYMS) found in the kernel")
}

// kallsymsIn looks for the tables in memory that starts at virtual address base.
func kallsymsIn(b []byte, base uint64) []Symbol {
	k := kallsymsTables{b: b, base: base}
	for from := 0; k.findTokens(from); from = k.tokenEnd {
		if k.findNames() && k.findAddresses() {
			return k.symbols()
		}
	}
	return nil
}

type kallsymsTables struct {
	b    []byte
	base uint64 // virtual address of b[0]

	tokens     [256][]byte
	tokenTable int // offsets in b
	tokenEnd   int // after token_index
	numSyms    int
	names      int
	n          int // how many symbols
	addresses  []uint64
	steps      int // taken so far, to bound the time
}

const maxSteps = 256 << 20 // a few seconds; Debian's kernels take up to five million

// A kernel uses every digit in its names, so the tokens 0x30 to 0x39 are the digits.
const digits = "0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00"

// findTokens looks for token_table and token_index from an offset on.
func (k *kallsymsTables) findTokens(from int) bool {
	for k.steps < maxSteps {
		found := bytes.Index(k.b[from:], []byte(digits))
		if found < 0 {
			return false
		}
		from += found + 1
		k.steps += 1000
		start := k.back('0', from-1)
		if start >= 0 && k.readTokens(start) {
			return true
		}
	}
	return false
}

// back returns the offset n zero-terminated strings before at, or -1. The byte before the first one is zero too: it
// ends the table before, or pads it.
func (k *kallsymsTables) back(n, at int) int {
	for range n {
		if at--; at < 0 {
			return -1
		}
		at = bytes.LastIndexByte(k.b[max(0, at-MaxSymbolName):at], 0) + max(0, at-MaxSymbolName) + 1
	}
	return at
}

// readTokens reads token_table at an offset and checks it against token_index.
func (k *kallsymsTables) readTokens(start int) bool {
	var index [256]uint16
	at := start
	for i := range k.tokens {
		window := k.b[at:min(at+MaxSymbolName, len(k.b))]
		length := bytes.IndexByte(window, 0)
		if length < 0 || at-start > 0xffff {
			return false
		}
		k.tokens[i], index[i] = window[:length], uint16(at-start)
		at += length + 1
	}
	for _, alignment := range alignments {
		if at = align(at, alignment); at+2*len(index) > len(k.b) {
			return false
		}
		if slices.Equal(index[:], uint16s(k.b[at:][:2*len(index)])) {
			k.tokenTable, k.tokenEnd = start, at+2*len(index)
			return true
		}
	}
	return false
}

// findNames looks for num_syms, names and markers, backwards from the tokens.
func (k *kallsymsTables) findNames() bool {
	const (
		furthest  = 64 << 20 // bytes; Debian's 158,000 symbols take 2 MiB
		leastSyms = 1000     // a smaller number is likelier to be something else
	)
	for at := k.tokenTable &^ 3; at >= max(0, k.tokenTable-furthest) && k.steps < maxSteps; at -= 4 {
		k.steps++
		n := binary.LittleEndian.Uint32(k.b[at:])
		if n < leastSyms || n > maxSymbols {
			continue
		}
		for _, alignment := range alignments {
			if names := align(at+4, alignment); k.checkNames(names, int(n), alignment) {
				k.numSyms, k.names, k.n = at, names, int(n)
				return true
			}
		}
	}
	return false
}

// checkNames tells whether there are n names at an offset, with markers after them that agree.
func (k *kallsymsTables) checkNames(start, n, alignment int) bool {
	var markers []uint32
	at := start
	for i := range n {
		if i%256 == 0 {
			markers = append(markers, uint32(at-start))
		}
		var name []byte
		if name, at = k.name(at); len(name) == 0 {
			return false
		}
		k.steps++
	}
	at = align(at, alignment)
	if at+4*len(markers) > k.tokenTable {
		return false
	}
	for i, want := range markers {
		if binary.LittleEndian.Uint32(k.b[at+4*i:]) != want {
			return false
		}
	}
	return true
}

// name returns the token numbers of the name at an offset, none if there is no name, and the offset of the next one.
func (k *kallsymsTables) name(at int) (tokens []byte, next int) {
	if at+2 > k.tokenTable {
		return nil, at
	}
	length := int(k.b[at])
	at++
	if length&0x80 != 0 {
		length = length&0x7f | int(k.b[at])<<7
		at++
	}
	if length > MaxSymbolName || at+length > k.tokenTable {
		return nil, at
	}
	return k.b[at : at+length], at + length
}

// addressModes are the ways from an entry of offsets to an address, given the entry's own address and relative_base.
var addressModes = []func(offset int32, entry, relativeBase uint64) uint64{
	// Up to 6.14: a negative one counts from relative_base - 1, down for up; others are absolute (per-CPU).
	func(offset int32, _, relativeBase uint64) uint64 {
		if offset >= 0 {
			return uint64(offset)
		}
		return relativeBase - 1 - uint64(int64(offset))
	},
	// Without absolute per-CPU symbols: it counts from relative_base.
	func(offset int32, _, relativeBase uint64) uint64 { return relativeBase + uint64(uint32(offset)) },
	// Newer (7.3 has it): it counts from the entry itself, and there is no relative_base.
	func(offset int32, entry, _ uint64) uint64 { return entry + uint64(int64(offset)) },
}

// findAddresses looks for offsets, in the one place and the other, and understands them in the one way that gives
// ascending addresses within the kernel.
func (k *kallsymsTables) findAddresses() bool {
	size := align(4*k.n, 8)
	for _, place := range []struct{ offsets, relativeBase int }{
		{k.tokenEnd, k.tokenEnd + size},
		{k.numSyms - 8 - size, k.numSyms - 8},
	} {
		if place.offsets < 0 || place.offsets+size+8 > len(k.b) {
			continue
		}
		relativeBase := binary.LittleEndian.Uint64(k.b[place.relativeBase:])
		for _, address := range addressModes {
			all := make([]uint64, k.n)
			for i := range all {
				at := place.offsets + 4*i
				all[i] = address(int32(binary.LittleEndian.Uint32(k.b[at:])), k.base+uint64(at), relativeBase)
			}
			if slices.IsSorted(all) && all[k.n/2] >= imageBase {
				k.addresses = all
				return true
			}
		}
	}
	return false
}

// symbols puts names and addresses together. Types and overlong names are dropped.
func (k *kallsymsTables) symbols() []Symbol {
	all := make([]Symbol, 0, k.n)
	at := k.names
	var tokens, text []byte
	for _, address := range k.addresses {
		tokens, at = k.name(at)
		text = text[:0]
		for _, token := range tokens {
			if text = append(text, k.tokens[token]...); len(text) > MaxSymbolName {
				break
			}
		}
		if len(text) > 1 && len(text) <= MaxSymbolName {
			all = append(all, Symbol{address, string(text[1:])})
		}
	}
	return all
}

// alignments of the tables, newer kernels first. With 4, the padding of an older kernel looks like an empty name.
var alignments = []int{4, 8}

func align(n, to int) int { return (n + to - 1) &^ (to - 1) }

func uint16s(b []byte) []uint16 {
	out := make([]uint16, len(b)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return out
}
