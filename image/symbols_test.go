package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

const textBase = 0xffffffff_81000000

// symbolSample is a kernel's worth of symbols: per-CPU ones at small addresses, aliases, a name whose length takes two
// bytes, and the mark of the end.
func symbolSample(percpu bool) []Symbol {
	var all []Symbol
	if percpu {
		all = append(all, Symbol{0, "fixed_percpu_data"}, Symbol{0x1234, "cpu_tss_rw"})
	}
	for i := range uint64(1500) {
		all = append(all, Symbol{textBase + 16*i, fmt.Sprintf("symbol_%d", i)})
		if i == 700 {
			all = append(all, Symbol{textBase + 16*i, "alias_of_700"}, Symbol{textBase + 16*i + 4, strings.Repeat("x", 200)})
		}
	}
	return append(all, Symbol{textBase + 1<<20, "_end"})
}

// kallsymsLayout says how a kernel's build lays the tables out; see kallsyms.go.
type kallsymsLayout struct {
	name        string
	alignment   int
	offsetFirst bool // before num_syms, or else after token_index
	between     int  // bytes of another table between markers and token_table
	percpu      bool // absolute per-CPU symbols
	relative    bool // each offset counts from its own place
	wrongMarker bool
}

var kallsymsLayouts = []kallsymsLayout{
	{name: "6.1", alignment: 8, offsetFirst: true, percpu: true},
	{name: "6.1 with seqs_of_names", alignment: 8, offsetFirst: true, percpu: true, between: 3 * 1503},
	{name: "6.12", alignment: 8, percpu: true},
	{name: "base relative", alignment: 8},
	{name: "7.3", alignment: 4, relative: true},
}

// tables lays out the symbols, starting at virtual address base.
func (l kallsymsLayout) tables(all []Symbol, base uint64) []byte {
	le := binary.LittleEndian
	b := []byte("something before\x00")
	pad := func(to int) {
		for len(b)%to != 0 {
			b = append(b, 0)
		}
	}
	offsets := func() {
		pad(l.alignment)
		for _, s := range all {
			offset := uint32(s.Address - textBase)
			switch {
			case l.relative:
				offset = uint32(s.Address - base - uint64(len(b)))
			case l.percpu && s.Address < imageBase:
				offset = uint32(s.Address)
			case l.percpu:
				offset = uint32(textBase - s.Address - 1)
			}
			b = le.AppendUint32(b, offset)
		}
		if !l.relative {
			pad(8)
			b = le.AppendUint64(b, textBase)
		}
	}
	if l.offsetFirst {
		offsets()
	}
	pad(l.alignment)
	b = le.AppendUint32(b, uint32(len(all)))
	pad(l.alignment)
	var markers []uint32
	start := len(b)
	for i, s := range all {
		if i%256 == 0 {
			markers = append(markers, uint32(len(b)-start))
		}
		name := strings.ReplaceAll("T"+s.Name, "symbol", "\x80") // token 0x80 is "symbol"
		if n := len(name); n < 0x80 {
			b = append(b, byte(n))
		} else {
			b = append(b, byte(n)&0x7f|0x80, byte(n>>7))
		}
		b = append(b, name...)
	}
	pad(l.alignment)
	if l.wrongMarker {
		markers[3]++
	}
	for _, m := range markers {
		b = le.AppendUint32(b, m)
	}
	pad(l.alignment)
	b = append(b, make([]byte, l.between)...)
	pad(l.alignment)
	var index []uint16
	start = len(b)
	for i := range 256 {
		index = append(index, uint16(len(b)-start))
		switch {
		case i == 0x80:
			b = append(b, "symbol"...)
		case i == '_' || '0' <= i && i <= '9' || 'A' <= i && i <= 'Z' || 'a' <= i && i <= 'z':
			b = append(b, byte(i))
		}
		b = append(b, 0)
	}
	pad(l.alignment)
	for _, i := range index {
		b = le.AppendUint16(b, i)
	}
	if !l.offsetFirst {
		offsets()
	}
	return append(b, "something after it, long enough"...)
}

// elfFile wraps one segment.
func elfFile(segment []byte, base uint64) []byte {
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64,
		Phentsize: 56, Phnum: 1, Shentsize: 64}
	copy(header.Ident[:], "\x7fELF\x02\x01\x01")
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, header)
	binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_LOAD), Off: 64 + 56, Vaddr: base,
		Filesz: uint64(len(segment)), Memsz: uint64(len(segment))})
	return append(b.Bytes(), segment...)
}

func TestKallsyms(t *testing.T) {
	const base = textBase + 0x400000
	for _, l := range kallsymsLayouts {
		all := symbolSample(l.percpu)
		img, err := Parse("FILE", bzImage(payloadOf(t, elfFile(l.tables(all, base), base))))
		if err != nil {
			t.Fatal(err)
		}
		s, err := img.Symbols()
		if err != nil {
			t.Errorf("%s: %v", l.name, err)
			continue
		}
		if want := 1500 + 3; s.Len() != want {
			t.Errorf("%s: %d symbols, want %d", l.name, s.Len(), want)
		}
		for _, symbol := range all {
			if got, ok := s.Address(symbol.Name); symbol.Address >= imageBase && (got != symbol.Address || !ok) {
				t.Errorf("%s: %s is at %#x, %v, want %#x", l.name, symbol.Name, got, ok, symbol.Address)
			}
		}
	}
}

func TestNoKallsyms(t *testing.T) {
	layout := kallsymsLayouts[2]
	good := layout.tables(symbolSample(true), textBase)
	layout.wrongMarker = true
	for what, segment := range map[string][]byte{
		"nothing":        nil,
		"digits only":    bytes.Repeat([]byte(digits), 1<<20),
		"no index":       good[:bytes.Index(good, []byte(digits))+200],
		"names cut off":  good[len(good)/2:],
		"a wrong marker": layout.tables(symbolSample(true), textBase),
		"another base":   bytes.Replace(good, binary.LittleEndian.AppendUint64(nil, textBase), make([]byte, 8), 1),
	} {
		_, err := ReadSymbols(bytes.NewReader(elfFile(segment, textBase)))
		wantError(t, what, err, "CONFIG_KALLSYMS")
	}
}

func TestLookup(t *testing.T) {
	s, err := NewSymbols([]Symbol{
		{textBase + 0x300, "_end"}, {textBase, "_text"}, {textBase, "startup_64"}, {textBase + 0x100, "accept_memory"}, {8, "percpu"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		address uint64
		name    string
		offset  uint64
	}{
		{textBase, "_text", 0}, // of two names the first given
		{textBase + 0xff, "_text", 0xff},
		{textBase + 0x100, "accept_memory", 0},
		{textBase + 0x2ff, "accept_memory", 0x1ff},
		{textBase + 0x300, "", 0}, // the end of the kernel
		{1<<64 - 1, "", 0},
		{textBase - 1, "", 0},
		{8, "", 0},
	} {
		name, offset, ok := s.Lookup(test.address)
		if name != test.name || offset != test.offset || ok != (test.name != "") {
			t.Errorf("%#x: got %q+%#x, %v, want %q+%#x", test.address, name, offset, ok, test.name, test.offset)
		}
	}
	if a, ok := s.Address("startup_64"); a != textBase || !ok {
		t.Errorf("startup_64 is at %#x, %v", a, ok)
	}
	if _, ok := s.Address("percpu"); ok {
		t.Error("an address below the kernel was kept")
	}
}

func TestSystemMap(t *testing.T) {
	const text = "0000000000000000 A fixed_percpu_data\nffffffff81000000 T _text\nffffffff81000040 t helper\nffffffff82000000 B _end\n"
	s, err := OpenSymbols(write(t, "vmlinux", []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	if name, offset, ok := s.Lookup(textBase + 0x41); name != "helper" || offset != 1 || !ok || s.Len() != 3 {
		t.Errorf("got %q+%#x, %v out of %d", name, offset, ok, s.Len())
	}
	for what, test := range map[string]struct{ text, says string }{
		"Debian's stub":     {"ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n", "no kernel symbols"},
		"another text":      {"ffffffff81000000 T _text\nhello\n", "line 2: not a System.map"},
		"no number":         {"T _text x\n", "line 1: not a System.map"},
		"nothing":           {"", "no kernel symbols"},
		"an endless line":   {strings.Repeat("f", 1<<20), "too long"},
		"a name of 600":     {"ffffffff81000000 T " + strings.Repeat("x", 600) + "\n", "line 1"},
		"an ELF file's top": {"\x7fELF\x02", "System.map: "},
	} {
		_, err := OpenSymbols(write(t, "System.map", []byte(test.text)))
		wantError(t, what, err, "System.map: ", test.says)
	}
}
