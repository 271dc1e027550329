package image

import (
	"bytes"
	"debug/elf"
	"slices"
	"testing"
)

// Go's reader of ELF files finds the symbols where the kernel has them, and everything else as it was.
func TestVmlinuxOfStockKernels(t *testing.T) {
	for _, img := range stockKernels(t) {
		var w bytes.Buffer
		if err := img.WriteVmlinux(&w); err != nil {
			t.Errorf("%v", err)
			continue
		}
		f, err := elf.NewFile(bytes.NewReader(w.Bytes()))
		if err != nil {
			t.Errorf("%s: %v", img.Name, err)
			continue
		}
		table, err := f.Symbols()
		if err != nil {
			t.Errorf("%s: %v", img.Name, err)
			continue
		}
		symbols, err := img.Symbols()
		if err != nil {
			t.Fatal(err)
		}
		if len(table) != symbols.Len() {
			t.Errorf("%s: %d symbols of %d", img.Name, len(table), symbols.Len())
		}
		for _, s := range table {
			if name, offset, _ := symbols.Lookup(s.Value); offset != 0 {
				t.Fatalf("%s: %s is at %#x, which is %#x into %s", img.Name, s.Name, s.Value, offset, name)
			}
			if s.Name != "start_kernel" && s.Name != "linux_banner" {
				continue
			}
			kind, section := elf.STT_FUNC, ".init.text"
			if s.Name == "linux_banner" {
				kind, section = elf.STT_OBJECT, ".rodata"
			}
			if elf.ST_TYPE(s.Info) != kind || f.Sections[s.Section].Name != section || s.Size == 0 {
				t.Errorf("%s: %+v", img.Name, s)
			}
		}
		payload, err := img.Payload()
		if err != nil {
			t.Fatal(err)
		}
		before, err := elf.NewFile(bytes.NewReader(payload))
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range before.Sections {
			got := f.Sections[i].SectionHeader
			if s.Name == ".shstrtab" {
				continue
			}
			if got != s.SectionHeader {
				t.Errorf("%s: section %+v has become %+v", img.Name, s.SectionHeader, got)
			}
		}
		end := f.Section(".text").Offset + f.Section(".text").Size
		if !bytes.Equal(w.Bytes()[elfSectionNames+2:end], payload[elfSectionNames+2:end]) {
			t.Errorf("%s: the code has changed", img.Name)
		}
		if again, err := withSymbols(w.Bytes()); err != nil || !bytes.Equal(again, w.Bytes()) {
			t.Errorf("%s: symbols are added to symbols: %v", img.Name, err)
		}
	}
}

func TestVmlinuxOfNoKernel(t *testing.T) {
	img, err := Parse("app", efiApplication())
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "an EFI application", img.WriteVmlinux(new(bytes.Buffer)), "no kernel payload")
	img, err = Parse("bzImage", bzImage(payloadOf(t, elfFile(kallsymsLayouts[0].tables(symbolSample(true), textBase), textBase))))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "a kernel without sections", img.WriteVmlinux(new(bytes.Buffer)), "no section headers")
}

// sectioned is an ELF file with two sections in memory.
func sectioned() []byte {
	b := elfFile(make([]byte, 0x200), textBase)
	names := []byte("\x00.text\x00.data\x00.shstrtab\x00")
	a := appender{out: b}
	for _, s := range []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: textBase, Off: 120, Size: 0x100},
		{Name: 7, Type: uint32(elf.SHT_NOBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Addr: textBase + 0x100, Size: 0x100},
	} {
		a.headers = encode(a.headers, s)
	}
	a.add(elf.Section64{Name: 13, Type: uint32(elf.SHT_STRTAB)}, names)
	b = a.finish()
	b[elfSectionNames] = 3
	return b
}

var fewSymbols, _ = NewSymbols([]Symbol{{textBase, "_text"}, {textBase + 4, "f"}, {textBase + 0x104, "v"}, {textBase + 0x200, "_end"}})

func TestAddSymbols(t *testing.T) {
	b := sectioned()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = addSymbols(b, f, fewSymbols); err != nil {
		t.Fatal(err)
	}
	if f, err = elf.NewFile(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	table, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	function, object := elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT)
	want := []elf.Symbol{
		{Name: "_text", Info: function, Section: 1, Value: textBase, Size: 4},
		{Name: "f", Info: function, Section: 1, Value: textBase + 4, Size: 0xFC},
		{Name: "v", Info: object, Section: 2, Value: textBase + 0x104, Size: 0xFC},
		{Name: "_end", Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE), Section: elf.SHN_ABS, Value: textBase + 0x200},
	}
	if !slices.Equal(table, want) {
		t.Errorf("symbols are\n%+v, want\n%+v", table, want)
	}
}

// Whatever the section headers say, what comes of it can be read, or nothing does.
func FuzzAddSymbols(f *testing.F) {
	f.Add(sectioned())
	f.Add([]byte("\x7fELF\x01\x02\x01d\x00000000\x00\x00\x00\x7f0\x0100\x010000000\x00\x00\x00\x00\x000\xf8\x00\x980\x00\x00\x10\x00\x00\x00\x04\x00\x0000")) // of 32 bits
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			return
		}
		out, err := addSymbols(b, file, fewSymbols)
		if err != nil {
			return
		}
		if _, err := elf.NewFile(bytes.NewReader(out)); err != nil {
			t.Errorf("what could be read cannot be read with symbols: %v", err)
		}
	})
}
