package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/uefi"
)

// Kernels that scripts/fetch-kernels fetches. Tests that need one fail without it.
const (
	debian12  = "linux-image-6.1.*-cloud-amd64_*"
	debian13  = "linux-image-6.12.*-cloud-amd64_*"
	generic13 = "linux-image-6.12.*deb13-amd64_*"
	rt13      = "linux-image-6.12.*-rt-amd64_*"
)

func stock(t testing.TB, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("../kernels", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no kernels/%s: run scripts/test, which fetches it", pattern)
	}
	return found[len(found)-1]
}

// vmlinuz is the kernel in a package.
func vmlinuz(t testing.TB, pattern string) []byte {
	t.Helper()
	img, err := image.Open(context.Background(), stock(t, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return img.Data
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// one inspects a file that has one kernel.
func one(t testing.TB, path string) *inspect.Kernel {
	t.Helper()
	r, err := inspect.File(context.Background(), path, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Kernels) != 1 {
		t.Fatalf("%d kernels in %s", len(r.Kernels), path)
	}
	return r.Kernels[0]
}

// answers are the six of a kernel, in the order of the command's table.
type answers [6]inspect.Verdict

const (
	yes     = inspect.Yes
	no      = inspect.No
	unknown = inspect.Unknown
)

var (
	old  = answers{no, no, yes, no, no, no} // Debian 12: an SEV-SNP guest that must be given all its memory
	full = answers{yes, yes, yes, yes, yes, yes}
)

func answersOf(k *inspect.Kernel) answers {
	return answers{
		k.TDX.Guest.Verdict, k.TDX.Accepts.Verdict, k.SNP.Guest.Verdict, k.SNP.Accepts.Verdict,
		k.Negotiates.Verdict, k.Lazy.Verdict,
	}
}

func findings(k *inspect.Kernel) []inspect.Finding {
	return []inspect.Finding{k.TDX.Guest, k.TDX.Accepts, k.SNP.Guest, k.SNP.Accepts, k.Negotiates, k.Lazy}
}

// check compares the answers, and that code decided each.
func check(t *testing.T, what string, k *inspect.Kernel, want answers) {
	t.Helper()
	if got := answersOf(k); got != want {
		t.Errorf("%s: answers %v, want %v; notes %q", what, got, want, k.Notes)
	}
	for i, f := range findings(k) {
		if decided := f.Strongest(); want[i] != unknown && (decided == nil || decided.Strength != inspect.Code) {
			t.Errorf("%s: answer %d was not decided by code: %+v", what, i, f)
		}
		if len(f.Disputed()) > 0 {
			t.Errorf("%s: evidence against answer %d: %+v", what, i, f.Disputed())
		}
	}
}

// From the package, from the kernel in it, from a unified kernel image around that, from a raw and a qcow2 disk.
func TestStockKernels(t *testing.T) {
	const cmdline = "root=/dev/vda2 quiet"
	for pattern, want := range map[string]answers{debian12: old, debian13: full, generic13: full, rt13: full} {
		kernel := vmlinuz(t, pattern)
		uki := imagetest.PE(imagetest.Section{Name: ".osrel", Data: []byte("ID=x\nPRETTY_NAME=\"Some OS 1\"\n")},
			imagetest.Section{Name: ".cmdline", Data: []byte(cmdline + "\x00")}, imagetest.Section{Name: ".linux", Data: kernel})
		esp := imagetest.Files{"EFI/Linux/x.efi": []byte("not yet")}
		disk := imagetest.Disk(t, "gpt",
			imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 32, 64, esp)},
			imagetest.Partition{Type: imagetest.Linux, Path: imagetest.Ext(t, 4, 64, imagetest.Files{"boot/vmlinuz-x": kernel})},
		)
		for what, path := range map[string]string{
			"package": stock(t, pattern), "bzImage": write(t, kernel), "unified kernel image": write(t, uki),
			"raw disk": disk, "qcow2 disk": imagetest.Qcow2(t, disk), "compressed qcow2 disk": imagetest.Qcow2(t, disk, "-c"),
			"tar":       write(t, imagetest.Tar(t, imagetest.Files{"boot/vmlinuz-x": kernel})),
			"directory": imagetest.Directory(t, imagetest.Files{"usr/lib/modules/x/vmlinuz": kernel}),
		} {
			k := one(t, path)
			check(t, pattern+" "+what, k, want)
			if k.Release == "" || !strings.Contains(k.Banner, k.Release) {
				t.Errorf("%s: release %q of %q", what, k.Release, k.Banner)
			}
			if what == "unified kernel image" &&
				(k.OS != "Some OS 1" || len(k.CommandLines) != 1 || k.CommandLines[0].Text != cmdline) {
				t.Errorf("%q, %+v", k.OS, k.CommandLines)
			}
		}
	}
}

// Offsets count from the start of the file that has the kernel: the immediates are where the evidence says.
func TestOffsets(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	guid := uefi.MemoryAcceptanceProtocolGUID
	uki := imagetest.PE(imagetest.Section{Name: ".linux", Data: kernel})
	for what, b := range map[string][]byte{"bzImage": kernel, "unified kernel image": uki} {
		e := one(t, write(t, b)).Negotiates.Strongest()
		if e == nil || len(e.Offsets) != 4 {
			t.Fatalf("%s: %+v", what, e)
		}
		for i, half := range [][]byte{guid[:8], guid[8:]} {
			if at := e.Offsets[2+i]; !bytes.Contains(b[at:][:10], half) { // movabs: two bytes and the immediate
				t.Errorf("%s: half %d is not at %#x", what, i, at)
			}
		}
		if call := b[e.Offsets[0]:][:6]; !bytes.Equal(call, []byte{0xff, 0x90, 0x40, 1, 0, 0}) {
			t.Errorf("%s: %x is no call of LocateProtocol", what, call)
		}
	}
}

// A kernel that claims to be another one is judged by its code.
func TestPatchedVersion(t *testing.T) {
	for _, c := range []struct {
		pattern, from, to string
		want              answers
	}{{debian12, "6.1.", "6.9.", old}, {debian13, "6.12.", "5.10.", full}} {
		kernel := bytes.Clone(vmlinuz(t, c.pattern))
		img, err := image.Parse("", kernel)
		if err != nil {
			t.Fatal(err)
		}
		at := int(binary.LittleEndian.Uint16(kernel[0x20e:])) + 0x200
		if !strings.HasPrefix(img.Setup.KernelVersion, c.from) {
			t.Fatalf("version %s", img.Setup.KernelVersion)
		}
		copy(kernel[at:], c.to)
		k := one(t, write(t, kernel))
		if got := answersOf(k); got != c.want {
			t.Errorf("%s as %s: %v, want %v", c.from, c.to, got, c.want)
		}
		if !strings.HasPrefix(k.Release, c.to) {
			t.Errorf("release %s", k.Release)
		}
		if c.to == "5.10." && len(k.Negotiates.Disputed()) == 0 {
			t.Error("that its version says otherwise is not shown")
		}
	}
}

// patch changes a stock kernel outside the packed kernel. All of from must be there, and is as long as to.
func patch(t *testing.T, kernel []byte, from, to string) []byte {
	t.Helper()
	if len(from) != len(to) || !bytes.Contains(kernel, []byte(from)) {
		t.Fatalf("nothing to patch: %x", from)
	}
	img, err := image.Parse("", kernel)
	if err != nil {
		t.Fatal(err)
	}
	start := img.Setup.ProtectedMode() + int(img.Setup.PayloadOffset)
	end := start + int(img.Setup.PayloadLength)
	out := bytes.Clone(kernel[:start])
	out = append(bytes.ReplaceAll(out, []byte(from), []byte(to)), kernel[start:end]...)
	return append(out, bytes.ReplaceAll(kernel[end:], []byte(from), []byte(to))...)
}

// What decides is code, not the texts and GUIDs that lie about.
func TestPatchedCode(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	guid := uefi.MemoryAcceptanceProtocolGUID
	low, high := "\x48\xb8"+string(guid[:8]), "\x48\xb8"+string(guid[8:])
	elsewhere := "\x48\xb8" + strings.Repeat("\x11", 8)
	withoutGUID := patch(t, kernel, low, elsewhere)
	fromMemory := "\x48\x8b\x87\x00\x00\x00\x00\x0f\x1f\x00"              // mov rax, [rdi]; nop
	leaf, fromElsewhere := "\xbf\x06\x00\x00\x00", "\x89\xc7\x0f\x1f\x00" // mov edi, 6; mov edi, eax
	noNegotiation := answers{yes, yes, yes, yes, no, yes}
	texts := "Memory acceptance protocol failed\x00TDX: Failed to accept memory\x00"
	for what, c := range map[string]struct {
		kernel []byte
		want   answers
	}{
		"another GUID":                 {withoutGUID, noNegotiation},
		"another second half":          {patch(t, kernel, high, elsewhere), noNegotiation},
		"half a GUID from memory":      {patch(t, kernel, low, fromMemory), answers{yes, yes, yes, yes, unknown, yes}},
		"a leaf number from elsewhere": {patch(t, kernel, leaf, fromElsewhere), answers{yes, unknown, yes, yes, yes, yes}},
		"the GUID as data only":        {append(bytes.Clone(withoutGUID), guid[:]...), noNegotiation},
		"no text":                      {patch(t, kernel, "Memory acceptance protocol failed", strings.Repeat("x", 33)), full},
		"no TDCALL":                    {patch(t, kernel, "\x66\x0f\x01\xcc", "\x66\x0f\x1f\x00"), answers{no, no, yes, yes, yes, yes}},
		"no PVALIDATE":                 {patch(t, kernel, "\xf2\x0f\x01\xff", "\x0f\x1f\x40\x00"), answers{yes, yes, no, no, yes, yes}},
		"texts of another kernel":      {append(bytes.Clone(vmlinuz(t, debian12)), texts...), old},
	} {
		if got := answersOf(one(t, write(t, c.kernel))); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

// Where code cannot be read, the answer is unknown, whatever texts and the packed kernel say.
func TestUnreadableCode(t *testing.T) {
	kernel := bytes.Clone(vmlinuz(t, debian13))
	pe := binary.LittleEndian.Uint32(kernel[0x3c:])
	entry := binary.LittleEndian.Uint32(kernel[pe+40:])
	img, err := image.Parse("", kernel)
	if err != nil {
		t.Fatal(err)
	}
	for what, at := range map[string]int{"EFI entry": int(entry), "64-bit entry": img.Setup.ProtectedMode() + 0x200} {
		b := bytes.Clone(kernel)
		for i := range 16 {
			b[at+i] = 0x06 // no instruction
		}
		k := one(t, write(t, b))
		for i, f := range findings(k) {
			if f.Verdict == no {
				t.Errorf("%s: answer %d is no", what, i)
			}
		}
		if what == "EFI entry" && !strings.Contains(k.Advice, "could not be read") {
			t.Errorf("%s: %s", what, k.Advice)
		}
		if what == "EFI entry" && (k.Negotiates.Verdict != unknown || k.TDX.Accepts.Verdict != unknown ||
			len(k.Negotiates.Evidence) < 2) {
			t.Errorf("%s: %v, %+v", what, answersOf(k), k.Negotiates)
		}
		if len(k.Notes) == 0 {
			t.Errorf("%s: no note", what)
		}
	}
}

// What firmware cannot start is not said to have no stub: another loader may meet it.
func TestDamagedHeader(t *testing.T) {
	kernel := vmlinuz(t, debian13)
	pe := int(binary.LittleEndian.Uint32(kernel[0x3c:]))
	for what, at := range map[string]int{"MZ": 0, "PE": pe, "machine": pe + 4, "place of a section": pe + 24 + 160 + 23} {
		b := bytes.Clone(kernel)
		b[at] ^= 0x7f
		k := one(t, write(t, b))
		if got, want := answersOf(k), (answers{yes, unknown, yes, unknown, unknown, unknown}); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if len(k.Notes) == 0 || !strings.Contains(k.Notes[0], "PE") {
			t.Errorf("%s: notes %q", what, k.Notes)
		}
	}
}

// Whatever is changed in a kernel, there is an answer or an error, soon.
func FuzzKernel(f *testing.F) {
	kernel := vmlinuz(f, debian13)
	img, err := image.Parse("", kernel)
	if err != nil {
		f.Fatal(err)
	}
	start := img.Setup.ProtectedMode() + int(img.Setup.PayloadOffset)
	end := start + int(img.Setup.PayloadLength)
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0xff})
	f.Add([]byte("\x00\x1f\x01\x00\xff\xff\x00\x06"))
	path := filepath.Join(f.TempDir(), "bzImage")
	// Changes of four bytes each: a place outside the packed kernel, and the new byte there.
	f.Fuzz(func(t *testing.T, changes []byte) {
		b := bytes.Clone(kernel)
		for ; len(changes) >= 4; changes = changes[4:] {
			at := int(changes[0]) | int(changes[1])<<8 | int(changes[2])<<16
			if at %= start + len(b) - end; at >= start {
				at += end - start
			}
			b[at] = changes[3]
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := inspect.File(context.Background(), path, inspect.Options{})
		if err == nil && len(r.Kernels) != 1 || err != nil && strings.Contains(err.Error(), "please report it") {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func BenchmarkStockKernels(b *testing.B) {
	for name, pattern := range map[string]string{
		"6.1-cloud": debian12, "6.12-cloud": debian13, "6.12-generic": generic13, "6.12-rt": rt13,
	} {
		path := write(b, vmlinuz(b, pattern))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one(b, path)
			}
		})
	}
}
