package efi

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
)

// An executable is in the image as it is, in a section of which the loaded segments are parts, and the same input gives
// the same bytes.
func TestPack(t *testing.T) {
	p := Program{Executable: guest.Init(), Arguments: []string{"init", "a b"}, Environment: []string{"A=b"}, Files: []byte("files"), Directory: "/tmp"}
	image, err := Pack(guest.Monitor(), p)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Pack(guest.Monitor(), p); err != nil || !bytes.Equal(again, image) {
		t.Errorf("packed again, it is another image (%v)", err)
	}
	f, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Section(payloadName)
	if s == nil {
		t.Fatal("no section of the program")
	}
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	number := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at:]) }
	part := func(at int) []byte { return data[number(at):][:number(at+8)] }
	for _, c := range []struct {
		at   int
		want string
	}{{104, string(guest.Init())}, {16, "init\x00a b\x00A=b\x00"}, {64, "files"}, {88, "/tmp"}} {
		if got := part(c.at); string(got) != c.want {
			t.Errorf("at %d the section has %d bytes, want %d", c.at, len(got), len(c.want))
		}
	}
	e, err := elf.NewFile(bytes.NewReader(guest.Init()))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, prog := range e.Progs {
		if prog.Type != elf.PT_LOAD {
			continue
		}
		at := payloadSegments + 8 + 40*n
		want := make([]byte, prog.Filesz)
		if _, err := prog.ReadAt(want, 0); err != nil {
			t.Fatal(err)
		}
		if number(at) != prog.Vaddr || number(at+8) != prog.Memsz || !bytes.Equal(part(at+16), want) {
			t.Errorf("segment %d: at %#x, %d bytes", n, number(at), number(at+8))
		}
		n++
	}
	if number(8) != e.Entry || number(payloadSegments) != uint64(n) {
		t.Errorf("entry %#x, %d segments; want %#x, %d", number(8), number(payloadSegments), e.Entry, n)
	}
}

// What cannot run in a guest is refused, with what to do about it.
func TestPackRefuses(t *testing.T) {
	other := bytes.Clone(guest.Init())
	binary.LittleEndian.PutUint16(other[18:], uint16(elf.EM_AARCH64))
	moved := bytes.Clone(guest.Init())
	binary.LittleEndian.PutUint16(moved[16:], uint16(elf.ET_DYN))
	for _, c := range []struct {
		p    Program
		want string
	}{
		{Program{Executable: []byte("#!/bin/sh\n")}, "not an executable"},
		{Program{Executable: other}, "GOARCH=amd64"},
		{Program{Executable: moved}, "-buildmode=pie"},
		{Program{Executable: guest.Init(), Arguments: []string{"a\x00b"}}, "zero byte"},
		{Program{Executable: guest.Init(), Arguments: make([]string, maxTexts+1)}, "at most 1024"},
		{Program{Executable: guest.Init(), Files: make([]byte, maxImage)}, "at most 512 MiB"},
	} {
		if _, err := Pack(guest.Monitor(), c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

// A directory becomes the same archive wherever and whenever it was made.
func TestArchive(t *testing.T) {
	var archives [2][]byte
	for i := range archives {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			os.WriteFile(filepath.Join(dir, "a", "f"), []byte("text"), 0o644), os.Symlink("../f", filepath.Join(dir, "a", "b", "link")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		var a Archive
		if err := a.AddTree(dir, "/data/more"); err != nil {
			t.Fatal(err)
		}
		var err error
		if archives[i], err = a.Bytes(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two directories with the same files are two archives")
	}
	for _, name := range []string{"/data\x00", "/data/more/a/f\x00", "/data/more/a/b/link\x00", "../f"} {
		if !bytes.Contains(archives[0], []byte(name)) {
			t.Errorf("the archive lacks %q", name)
		}
	}
}
