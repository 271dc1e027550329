package image

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz/lzma"

	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/uefi"
)

// stockFirmware is Debian 13's OVMF, out of its package.
func stockFirmware(t testing.TB) []byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(fetched, "ovmf_*_all.deb"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s/ovmf_*_all.deb: run scripts/test, which fetches it", fetched)
	}
	_, files := look(t, found[len(found)-1])
	const name = "usr/share/OVMF/OVMF_CODE_4M.fd"
	if files[name] == nil {
		t.Fatalf("no %s in %s", name, found)
	}
	return files[name]
}

// The programs that OVMF is made of are known by their names for people, and each is what its type says.
func TestStockFirmware(t *testing.T) {
	b := stockFirmware(t)
	modules, unread := Modules(b)
	if len(unread) > 0 || len(modules) < 100 {
		t.Errorf("%d modules, %q", len(modules), unread)
	}
	kinds := map[string]ModuleKind{
		"SecMain": SecurityCore, "PeiCore": PEICore, "DxeCore": DXECore, "PlatformPei": PEIM, "AmdSevDxe": Driver, "TdxDxe": Driver,
		"UiApp": Application,
	}
	guids := map[string]string{ // OvmfPkg/*/*.inf, FILE_GUID
		"AmdSevDxe": "2ec9da37-ee35-4de9-86c5-6d9a81dc38a7", "TdxDxe": "e750224e-7bce-40af-b5bb-47e3611eb5c2",
	}
	for _, m := range modules {
		if want := kinds[m.Name]; want != 0 && m.Kind != want {
			t.Errorf("%v is of kind %d, want %d", m, m.Kind, want)
		}
		if want := guids[m.Name]; want != "" && m.GUID.String() != want {
			t.Errorf("%v has GUID %v, want %s", m, m.GUID, want)
		}
		if p, err := m.Headers(); err != nil || p.Machine != MachineAMD64 || len(p.Sections) == 0 {
			t.Errorf("%v: %+v, %v", m, p, err)
		}
		delete(kinds, m.Name)
	}
	for name := range kinds {
		t.Errorf("no %s", name)
	}
	m, err := ReadFirmware(b)
	if err != nil || len(m.TDX) != 6 || len(m.SEV) != 6 || !m.Reset || m.TDX[0].Kind != TDXBootVolume ||
		m.TDX[0].Address != 1<<32-uint64(len(b)) || m.SEV[3].Kind != SNPCPUID || m.SEV[3].Address != 0x80e000 {
		t.Errorf("%+v, %v", m, err)
	}
}

// Any OVMF that is installed can be read.
func TestInstalledFirmware(t *testing.T) {
	found, err := filepath.Glob("/usr/share/OVMF/OVMF_CODE*.fd")
	if err != nil || len(found) == 0 {
		t.Fatal("no /usr/share/OVMF/OVMF_CODE*.fd: run scripts/install-tools")
	}
	for _, path := range found {
		b := readFile(t, path)
		modules, unread := Modules(b)
		m, err := ReadFirmware(b)
		if len(modules) < 50 || len(unread) > 0 || err != nil || !m.Reset {
			t.Errorf("%s: %d modules, %q, %+v, %v", path, len(modules), unread, m, err)
		}
	}
	if variables, err := os.ReadFile("/usr/share/OVMF/OVMF_VARS_4M.fd"); err != nil {
		t.Error(err)
	} else if modules, unread := Modules(variables); len(modules)+len(unread) > 0 {
		t.Errorf("%v %v", modules, unread)
	}
}

// terse makes a terse file of a PE file.
func terse(t testing.TB, pe []byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	at := int(le.Uint32(pe[0x3c:]))
	p, err := ReadPE(bytes.NewReader(pe), int64(len(pe)))
	if err != nil {
		t.Fatal(err)
	}
	first := at + 24 + int(le.Uint16(pe[at+20:])) // the headers of sections
	head := make([]byte, terseHeaderSize)
	copy(head, "VZ")
	le.PutUint16(head[2:], p.Machine)
	head[4], head[5] = byte(len(p.Sections)), byte(p.Subsystem)
	le.PutUint16(head[6:], uint16(first))
	le.PutUint32(head[8:], p.EntryPoint)
	le.PutUint64(head[16:], p.Base)
	return append(head, pe[first:]...)
}

func TestTerse(t *testing.T) {
	pe := imagetest.PE(imagetest.Section{Name: ".text", Data: []byte("code")}, imagetest.Section{Name: ".data", Data: []byte("data")})
	m := Module{Data: terse(t, pe)}
	p, err := m.Headers()
	if err != nil || len(p.Sections) != 2 || p.Machine != MachineAMD64 || p.EntryPoint != 0x1000 {
		t.Fatalf("%+v, %v", p, err)
	}
	for i, want := range []string{"code", "data"} {
		if s := p.Sections[i]; string(m.Data[s.Offset:][:s.Size]) != want {
			t.Errorf("%+v", s)
		}
	}
	for n := range len(m.Data) {
		Module{Data: m.Data[:n]}.Headers()
	}
}

// What is hostile in a firmware image is told, or passed over; it costs neither time nor memory.
func TestHostileFirmware(t *testing.T) {
	le := binary.LittleEndian
	pe := imagetest.PE(imagetest.Section{Name: ".text", Data: []byte("code")})
	one := imagetest.Firmware(nil, imagetest.Module{GUID: uefi.GUID{1}, Kind: 7, Name: "X", Data: pe})
	const file = 72 // offset of the first one
	brotli := uefi.MustParseGUID("3d532050-5cda-4fd0-879e-0f7f630d5afb")
	section := func(kind byte, data []byte) []byte {
		size := 4 + len(data)
		return append([]byte{byte(size), byte(size >> 8), byte(size >> 16), kind}, data...)
	}
	packed := func(data []byte) []byte {
		var out bytes.Buffer
		w, err := lzma.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
		w.Close()
		head := append(lzmaSection[:], 24, 0, 1, 0)
		return section(2, append(head, out.Bytes()...))
	}
	inFile := func(sections []byte) []byte { // as one file of a volume
		b := bytes.Clone(one[:file+24])
		size := 24 + len(sections)
		b[file+20], b[file+21], b[file+22] = byte(size), byte(size>>8), byte(size>>16)
		b = append(b, sections...)
		le.PutUint64(b[32:], uint64(len(b)))
		return b
	}
	nested := section(0x10, pe)
	for range 40 {
		nested = section(1, append([]byte{0, 0, 0, 0, 0}, nested...))
	}
	for name, c := range map[string]struct {
		b    []byte
		want string // "" for a module
	}{
		"sound":                    {one, ""},
		"packed":                   {inFile(packed(section(0x10, pe))), ""},
		"packed twice":             {inFile(packed(packed(section(0x10, pe)))), ""},
		"a file after the end":     {func() []byte { b := bytes.Clone(one); b[file+22] = 0xff; return b }(), "a damaged file"},
		"a section of no length":   {inFile([]byte{0, 0, 0, 0x10}), "a damaged section"},
		"nested without end":       {inFile(nested), "nested more than"},
		"damaged LZMA":             {inFile(section(2, append(append(lzmaSection[:], 24, 0, 1, 0), 1, 2, 3))), "lzma: "},
		"Tiano's":                  {inFile(section(1, []byte{9, 0, 0, 0, 1, 0})), "Tiano's compression, which is not read"},
		"Brotli":                   {inFile(section(2, append(brotli[:], 24, 0, 1, 0))), "Brotli, which is not read"},
		"a section without a GUID": {inFile(section(2, []byte{1, 2})), "a damaged section"},
	} {
		modules, unread := Modules(c.b)
		if c.want == "" && (len(modules) != 1 || len(unread) > 0 || !bytes.Equal(modules[0].Data, pe)) ||
			c.want != "" && !strings.Contains(strings.Join(unread, "\n"), c.want) {
			t.Errorf("%s: %d modules, %q, want %q", name, len(modules), unread, c.want)
		}
	}
	v := volumes{budget: 1 << 20}
	first := packed(make([]byte, 1<<19))
	first = append(first, make([]byte, (4-len(first)%4)%4)...)
	v.volume(inFile(append(first, packed(make([]byte, 1<<20))...)), 0)
	if !strings.Contains(strings.Join(v.unread, "\n"), "unpacks to more than") {
		t.Errorf("%q", v.unread)
	}
}

// The table at the end of an image is believed as far as the image goes.
func TestHostileFirmwareTable(t *testing.T) {
	sound := stockFirmware(t)
	end := len(sound) - firmwareTableEnd
	for name, c := range map[string]struct {
		at   int
		b    byte
		want string
	}{
		"a table of no length":      {end - 18, 0, "a damaged table"},
		"a table of all":            {end - 17, 0xff, "a damaged table"},
		"an entry of no length":     {end - 18 - 18, 0, "an entry of 0 bytes"},
		"metadata before the start": {bytes.Index(sound, tdxMetadata[:]) - 3, 0xff, "no metadata TDVF"},
		"metadata of many sections": {bytes.Index(sound, []byte("TDVF")) + 13, 0xff, "metadata TDVF of"},
		"no metadata of SEV":        {bytes.Index(sound, []byte("ASEV")), 'x', "no metadata ASEV"},
	} {
		b := bytes.Clone(sound)
		b[c.at] = c.b
		_, err := ReadFirmware(b)
		wantError(t, name, err, c.want)
	}
	for n := range 400 {
		ReadFirmware(sound[len(sound)-n:])
	}
	if m, err := ReadFirmware(sound[:len(sound)-1]); err != nil || m.TDX != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

// Whatever the bytes are, reading firmware ends.
func FuzzFirmware(f *testing.F) {
	pe := imagetest.PE(imagetest.Section{Name: ".text", Data: []byte("code")})
	stock := readFile(f, "/usr/share/OVMF/OVMF_CODE_4M.fd")
	f.Add(imagetest.Firmware(stock[len(stock)-4096:], imagetest.Module{Kind: 7, Name: "X", Data: pe},
		imagetest.Module{Kind: 3, Data: terse(f, pe)}))
	f.Add(stock[len(stock)-4096:])
	f.Fuzz(func(t *testing.T, b []byte) {
		modules, _ := Modules(b)
		for _, m := range modules {
			if p, err := m.Headers(); err == nil {
				for _, s := range p.Sections {
					if s.Size > 0 && (s.Offset < 0 || s.Offset+s.Size > int64(len(m.Data))) {
						t.Errorf("%+v of %d bytes", s, len(m.Data))
					}
				}
			}
		}
		ReadFirmware(b)
	})
}
