package inspect_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/uefi"
)

// ovmf is Debian 13's package of firmware.
func ovmf(t testing.TB) string { return stock(t, "ovmf_2025.02-*_all.deb") }

// judged is what there is to say of a firmware image, TDX first: can it start guests, does it leave memory, from how many
// GiB on, does it negotiate?
type judged [2]struct {
	guest, leaves inspect.Verdict
	from          uint64
	negotiates    inspect.Verdict
}

func judgedOf(f *inspect.Firmware) (j judged) {
	for i, p := range []inspect.FirmwarePlatform{f.TDX, f.SNP} {
		j[i].guest, j[i].leaves, j[i].from, j[i].negotiates = p.Guest.Verdict, p.Leaves.Verdict, p.From>>30, p.Negotiates.Verdict
	}
	return j
}

var (
	// OVMF of 2025 (EDK2, OvmfPkg/PlatformPei/AmdSev.c, OvmfPkg/AmdSevDxe, OvmfPkg/TdxDxe).
	upstream = judged{{yes, yes, 4, no}, {yes, yes, 4, yes}}
	silent   = judged{{no, no, 0, no}, {no, no, 0, no}}
)

func oneFirmware(t testing.TB, path string) *inspect.Firmware {
	t.Helper()
	r := report(t, path)
	if len(r.Firmware) != 1 || len(r.Kernels) != 0 {
		t.Fatalf("%s: %+v", path, r)
	}
	return r.Firmware[0]
}

// All images of the package, in it and out of it.
func TestStockFirmware(t *testing.T) {
	r := report(t, ovmf(t))
	if len(r.Firmware) < 4 {
		t.Errorf("%d images", len(r.Firmware))
	}
	for _, f := range r.Firmware {
		if got := judgedOf(f); got != upstream {
			t.Errorf("%s: %v, want %v; %q", f.Path, got, upstream, f.Notes)
		}
		for _, p := range []inspect.FirmwarePlatform{f.TDX, f.SNP} {
			if e := p.Leaves.Strongest(); e == nil || e.Strength != inspect.Code || len(e.Offsets) != 2 {
				t.Errorf("%s: %+v", f.Path, p.Leaves)
			}
		}
	}
	f := oneFirmware(t, write(t, codeFD(t)))
	if got := judgedOf(f); got != upstream || f.Path != "" || !strings.Contains(f.Advice, "loses it") {
		t.Errorf("%v, %+v", got, f)
	}
}

// What is installed may be of any version, and has an answer.
func TestInstalledFirmware(t *testing.T) {
	found, err := filepath.Glob("/usr/share/OVMF/OVMF_CODE*.fd")
	if err != nil || len(found) == 0 {
		t.Fatal("no /usr/share/OVMF/OVMF_CODE*.fd: run scripts/install-tools")
	}
	// Debian 12's of 2022 accepts all on SEV-SNP; and some of its images are for neither.
	old := judged{{yes, yes, 4, no}, {yes, no, 0, no}}
	for _, path := range found {
		if got := judgedOf(oneFirmware(t, path)); got != upstream && got != old && got != silent {
			t.Errorf("%s: %v", path, got)
		}
	}
	_, err = inspect.File(context.Background(), "/usr/share/OVMF/OVMF_VARS_4M.fd", inspect.Options{})
	if err == nil || !strings.Contains(err.Error(), "a firmware image without programs, such as one of variables") {
		t.Errorf("%v", err)
	}
}

// codeFD is an image of the package.
func codeFD(t testing.TB) []byte {
	t.Helper()
	c, err := image.Look(context.Background(), ovmf(t), anything{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, e := range c.Volumes[0].Files {
		if e.Name == "usr/share/OVMF/OVMF_CODE_4M.fd" {
			b, err := e.Bytes(64 << 20)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatal("no OVMF_CODE_4M.fd")
	return nil
}

type anything struct{}

func (anything) Directory(string) bool           { return true }
func (anything) File(string, int64, []byte) bool { return true }

// repack makes an image of those modules of another that matter, with changes to their bytes. A module without bytes is left
// out.
func repack(t testing.TB, b []byte, change func(name string, data []byte) []byte) []byte {
	t.Helper()
	var modules []imagetest.Module
	all, unread := image.Modules(b)
	if len(unread) > 0 {
		t.Fatal(unread)
	}
	for _, m := range all {
		switch m.Name {
		case "SecMain", "PlatformPei", "AmdSevDxe", "TdxDxe", "IoMmuDxe", "DxeCore":
		default:
			continue
		}
		data := bytes.Clone(m.Data)
		if change != nil {
			data = change(m.Name, data)
		}
		if data != nil {
			modules = append(modules, imagetest.Module{GUID: m.GUID, Kind: uint8(m.Kind), Name: m.Name, Data: data})
		}
	}
	return imagetest.Firmware(b[len(b)-4096:], modules...)
}

// What decides is code: of the modules that there are, and of what they do.
func TestPatchedFirmware(t *testing.T) {
	sound := codeFD(t)
	guid := uefi.MemoryAcceptanceProtocolGUID
	without := func(names ...string) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") {
				return nil
			}
			return data
		}
	}
	in := func(module, from, to string) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if name == module {
				if !bytes.Contains(data, []byte(from)) {
					t.Errorf("nothing to patch in %s: %x", name, from)
				}
				return bytes.ReplaceAll(data, []byte(from), []byte(to))
			}
			return data
		}
	}
	// mov dword ptr [r12+0x18], 7 and the comparison before it, of PlatformPei's code for SEV-SNP.
	const mark, limit = "\x41\xc7\x44\x24\x18\x07\x00\x00\x00", "\xb8\xff\xff\xff\xff\x48\x39\xf8\x73\x0e"
	for name, c := range map[string]struct {
		change func(string, []byte) []byte
		want   judged
	}{
		"nothing":                   {nil, upstream},
		"no driver for SEV-SNP":     {without("AmdSevDxe"), judged{{yes, yes, 4, no}, {yes, no, 0, no}}},
		"no driver for TDX":         {without("TdxDxe"), judged{{yes, no, 0, no}, {yes, yes, 4, yes}}},
		"another protocol":          {in("AmdSevDxe", string(guid[:]), strings.Repeat("x", 16)), judged{{yes, yes, 4, no}, {yes, yes, 4, no}}},
		"memory that is not marked": {in("PlatformPei", mark, strings.Repeat("\x90", 9)), judged{{yes, yes, 4, no}, {yes, no, 0, yes}}},
		"marked as something else":  {in("PlatformPei", mark, mark[:5]+"\x05\x00\x00\x00"), judged{{yes, yes, 4, no}, {yes, no, 0, yes}}},
		"another address":           {in("PlatformPei", limit, "\xb8\xff\xff\xff\x7f"+limit[5:]), judged{{yes, yes, 4, no}, {yes, yes, 2, yes}}},
		"the protocol on TDX":       {in("TdxDxe", string(uefi.EDKIIMemoryAcceptProtocolGUID[:]), string(guid[:])), judged{{yes, no, 0, yes}, {yes, yes, 4, yes}}},
		"a driver that is not code": {in("AmdSevDxe", "\xf2\x0f\x01\xff", "\x06\x06\x06\x06"), judged{{yes, yes, 4, unknown}, {yes, unknown, 0, unknown}}},
	} {
		f := oneFirmware(t, write(t, repack(t, sound, c.change)))
		if got := judgedOf(f); got != c.want {
			t.Errorf("%s: %v, want %v; TDX %+v, SEV-SNP %+v", name, got, c.want, f.TDX.Leaves, f.SNP.Leaves)
		}
	}
}

// Metadata decide what it can start; damaged ones decide nothing.
func TestFirmwareMetadata(t *testing.T) {
	small := repack(t, codeFD(t), nil)
	unmarked := bytes.Clone(small)
	unmarked[len(unmarked)-40] ^= 1 // in the footer's GUID
	if got := judgedOf(oneFirmware(t, write(t, unmarked))); got != silent {
		t.Errorf("without the table: %v", got)
	}
	damaged := bytes.Clone(small)
	damaged[bytes.Index(damaged, []byte("TDVF"))] = 'x'
	f := oneFirmware(t, write(t, damaged))
	if f.TDX.Guest.Verdict != unknown || len(f.Notes) == 0 {
		t.Errorf("damaged metadata: %+v, %q", f.TDX.Guest, f.Notes)
	}
	if strings.Contains(f.Advice, "TDX it leaves") {
		t.Errorf("%s", f.Advice)
	}
}

// What is required of firmware is that its guests can do it.
func TestFirmwareRequirements(t *testing.T) {
	f := oneFirmware(t, write(t, repack(t, codeFD(t), nil)))
	none := &inspect.Firmware{}
	none.TDX.Guest.Verdict, none.SNP.Guest.Verdict = no, no
	for name, want := range map[string]inspect.Verdict{
		"tdx": yes, "snp": yes, "tdx-guest": yes, "snp-guest": yes, "lazy": yes, "negotiate": no,
	} {
		q, err := inspect.ParseRequirements(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Meets(q[0]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got := none.Meets(q[0]); got != no {
			t.Errorf("%s of firmware for neither: %s", name, got)
		}
	}
}

// Whatever is changed in a module, there is an answer. What an image has first is not compressed.
func FuzzFirmware(f *testing.F) {
	found, err := filepath.Glob("/usr/share/OVMF/OVMF_CODE*.fd")
	if err != nil || len(found) == 0 {
		f.Fatal("no /usr/share/OVMF/OVMF_CODE*.fd: run scripts/install-tools")
	}
	b := readFile(f, found[0])
	const first = 256 << 10 // bytes at the end
	b = b[len(b)-first:]
	modules, _ := image.Modules(b)
	if len(modules) != 1 {
		f.Fatalf("%d modules", len(modules))
	}
	guids := append(uefi.MemoryAcceptanceProtocolGUID[:], uefi.EDKIIMemoryAcceptProtocolGUID[:]...)
	small := imagetest.Firmware(b[len(b)-4096:], imagetest.Module{Kind: uint8(modules[0].Kind), Data: modules[0].Data},
		imagetest.Module{Kind: uint8(image.Driver), Data: append(bytes.Clone(modules[0].Data), guids...)})
	path := write(f, nil)
	f.Add([]byte{0, 0, 0, 0xff})
	f.Fuzz(func(t *testing.T, changes []byte) {
		b := bytes.Clone(small)
		for ; len(changes) >= 4; changes = changes[4:] {
			b[(int(changes[0])|int(changes[1])<<8|int(changes[2])<<16)%len(b)] = changes[3]
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := inspect.File(context.Background(), path, inspect.Options{})
		if err != nil && strings.Contains(err.Error(), "please report it") {
			t.Error(err)
		}
	})
}
