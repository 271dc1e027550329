package image

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// Nothing that is read here may panic, hang or take memory without bound, whatever it is.

func FuzzParse(f *testing.F) {
	f.Add(bzImage(payloadOf(f, elfFile([]byte("kernel"), textBase))))
	f.Add(bzImage([]byte("no payload")))
	f.Add(efiApplication())
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := Parse("FILE", b)
		if err != nil {
			wantError(t, "Parse", err, "FILE: ")
			return
		}
		if (img.Setup != nil) != (img.Kind == BzImage) || img.Name == "" {
			t.Errorf("%+v", img)
		}
		if err := img.Bootable(); err != nil {
			wantError(t, "Bootable", err, "FILE: ")
		}
		if img.Setup != nil && int(img.Setup.PayloadLength) != len(img.packedPayload()) {
			t.Errorf("a payload of %d bytes has %d", img.Setup.PayloadLength, len(img.packedPayload()))
		}
	})
}

func FuzzPackage(f *testing.F) {
	files := map[string][]byte{"./boot/vmlinuz-6": bzImage(nil), "./boot/config": []byte("x")}
	f.Add(deb(f, files, "./boot/config", "./boot/vmlinuz-6"))
	f.Add(ar("debian-binary", []byte("2.0\n"), "data.tar", make([]byte, 1024)))
	for _, b := range packed(f) {
		f.Add(ar("data.tar.x", b))
	}
	for _, b := range packagesOf(f, imagetest.Files{"boot/vmlinuz-6": bzImage(nil)}) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		data, name, err := kernelInPackage(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))))
		if err == nil && name == "" {
			t.Errorf("a kernel of %d bytes without a name", len(data))
		}
	})
}

func FuzzPayload(f *testing.F) {
	for _, b := range packed(f) {
		f.Add(binary.LittleEndian.AppendUint32(b, uint32(len(sample))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const most = 16 << 20 // more takes time and finds nothing
		if len(b) >= 4 && binary.LittleEndian.Uint32(b[len(b)-4:]) > most {
			return
		}
		out, err := unpackPayload(b)
		if err == nil && len(out) > most {
			t.Errorf("unpacked %d bytes", len(out))
		}
	})
}

func FuzzSymbols(f *testing.F) {
	for _, l := range kallsymsLayouts {
		f.Add(elfFile(l.tables(symbolSample(l.percpu), textBase), textBase))
	}
	f.Add([]byte("ffffffff81000000 T _text\nffffffff82000000 T _end\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSymbols(bytes.NewReader(b))
		if err != nil {
			s, err = systemMap(bytes.NewReader(b))
		}
		if err != nil {
			return
		}
		for _, symbol := range s.byAddress {
			if _, offset, ok := s.Lookup(symbol.Address); ok && offset != 0 {
				t.Fatalf("%s at %#x is found at an offset of %#x", symbol.Name, symbol.Address, offset)
			}
		}
	})
}
