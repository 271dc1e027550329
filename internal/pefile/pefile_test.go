package pefile_test

import (
	"bytes"
	"context"
	"debug/pe"
	"encoding/binary"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/internal/pefile"
)

// What is read is what debug/pe reads.
func TestAgreesWithTheStandardLibrary(t *testing.T) {
	files := map[string][]byte{
		"tacit's own guest": guest.Demo(),
		"an image":          imagetest.PE(imagetest.Section{Name: ".text", Data: []byte("code")}, imagetest.Section{Name: ".eightlet"}),
	}
	kernels, _ := filepath.Glob("../../kernels/linux-image-*cloud*.deb")
	if len(kernels) == 0 {
		t.Error("no kernels: run scripts/fetch-kernels")
	}
	for _, path := range kernels {
		img, err := image.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = img.Data
	}
	for name, data := range files {
		want, err := pe.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := pefile.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h := want.OptionalHeader.(*pe.OptionalHeader64)
		if got.Machine != want.Machine || got.Characteristics != want.Characteristics || got.Magic != pefile.PE32Plus ||
			got.Subsystem != h.Subsystem || got.EntryPoint != h.AddressOfEntryPoint || got.ImageBase != h.ImageBase || got.SizeOfImage != h.SizeOfImage ||
			got.SizeOfHeaders != h.SizeOfHeaders || got.SectionAlignment != h.SectionAlignment || got.MajorImageVersion != h.MajorImageVersion {
			t.Errorf("%s: %+v, want %+v, %+v", name, got, want.FileHeader, h)
		}
		if n := min(h.NumberOfRvaAndSizes, 16); len(got.Directories) != int(n) || !equal(got.Directories, h.DataDirectory[:n]) {
			t.Errorf("%s: directories %v, want %v", name, got.Directories, h.DataDirectory)
		}
		if len(got.Sections) != len(want.Sections) {
			t.Fatalf("%s: %d sections, want %d", name, len(got.Sections), len(want.Sections))
		}
		for i, s := range got.Sections {
			if w := want.Sections[i]; s != (pefile.Section{Name: w.Name, VirtualAddress: w.VirtualAddress, VirtualSize: w.VirtualSize, Offset: w.Offset, Size: w.Size}) {
				t.Errorf("%s: section %+v, want %+v", name, s, w.SectionHeader)
			}
		}
	}
}

func equal(a, b []pe.DataDirectory) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// header makes the beginning of a file with a number of sections and of symbols, which follow it.
func header(sections uint16, symbols uint32, sectionName string) []byte {
	b := imagetest.PE(imagetest.Section{Name: sectionName, Data: []byte("code")})
	const fileHeader = 0x44
	binary.LittleEndian.PutUint16(b[fileHeader+2:], sections)
	binary.LittleEndian.PutUint32(b[fileHeader+8:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[fileHeader+12:], symbols)
	return b
}

// A long name stands after the symbols.
func TestLongNames(t *testing.T) {
	symbols := make([]byte, 2*18)
	strings := append(binary.LittleEndian.AppendUint32(nil, 40), "a name of more than eight bytes\x00more"...)
	file := append(append(header(1, 2, "/4"), symbols...), strings...)
	f, err := pefile.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := f.Section("a name of more than eight bytes"); !ok {
		t.Errorf("sections %+v, %v", f.Sections, s)
	}
	for _, name := range []string{"/9999999", "/x", "/", "/39"} {
		file := append(append(header(1, 2, name), symbols...), strings...)
		if f, err := pefile.Read(bytes.NewReader(file), int64(len(file))); err != nil || f.Sections[0].Name != name {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

// A sparse file begins with some bytes, and is zeros after them.
type sparse struct{ head []byte }

func (s sparse) ReadAt(b []byte, off int64) (int, error) {
	clear(b)
	if off < int64(len(s.head)) {
		copy(b, s.head[off:])
	}
	return len(b), nil
}

// What a file asks for does not decide how much memory its headers take.
func TestMemoryIsBounded(t *testing.T) {
	const size = 240 << 20
	for name, c := range map[string]struct {
		head []byte
		ok   bool
	}{
		"millions of symbols": {header(1, size/18, ".text"), true},
		"sections":            {header(1025, 0, ".text"), false},
		"all sections":        {header(1024, 0, ".text"), true},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := pefile.Read(sparse{c.head}, size)
		runtime.ReadMemStats(&after)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes of memory", name, n)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(header(1, 0, ".text"))
	f.Add(append(header(1, 1, "/4"), make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := pefile.Read(bytes.NewReader(data), int64(len(data)))
		if (file == nil) == (err == nil) {
			t.Fatalf("%v, %v", file, err)
		}
		if want, err := pe.NewFile(bytes.NewReader(data)); err == nil && len(data) > 1 && data[0] == 'M' && file != nil && len(want.Sections) != len(file.Sections) {
			t.Errorf("%d sections; debug/pe reads %d", len(file.Sections), len(want.Sections))
		}
	})
}
