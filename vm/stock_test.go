package vm_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// ovmf is Debian's stock OVMF, code and variables in one file.
func ovmf(t testing.TB) image.File {
	t.Helper()
	return image.File{Name: "OVMF.fd", Data: debianFile(t, "ovmf_*.deb", "usr/share/ovmf/OVMF.fd")}
}

// Stock OVMF runs in the guest from the reset vector on and starts what fw_cfg hands it, in machines of one processor and of more.
func TestStockFirmware(t *testing.T) {
	t.Parallel()
	firmware := ovmf(t)
	for _, c := range []struct {
		name  string
		cfg   vm.Config
		shows []string
	}{
		{"guest in Go", vm.Config{Platform: vm.None, Memory: gib}, []string{"on no confidential platform, 1,024 MiB of memory", "take again 64 MiB"}},
		{"kernel", vm.Config{Platform: vm.None, Memory: 4 * gib, CPUs: 2, Image: kernel(t, "linux-image-6.12*-cloud-*.deb")}, []string{
			"EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID", "efi: EFI v2.7 by Debian distribution of EDK II", "smp: Brought up 1 node, 2 CPUs", "tacit: init",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.cfg.Firmware = firmware
			b := boot(t, c.cfg)
			b.powersOff(t)
			for _, want := range c.shows {
				if !strings.Contains(b.console, want) {
					t.Errorf("the console lacks %q:\n%s", want, b.console)
				}
			}
			if b.Config.Firmware != firmware.Name || len(b.Config.FirmwareSHA256) != 64 {
				t.Errorf("the record says firmware %q, %q", b.Config.Firmware, b.Config.FirmwareSHA256)
			}
		})
	}
}

// Stock OVMF is launched as a confidential guest by its own metadata, and accepts what lies below 4 GiB; Debian's kernel accepts
// memory itself, and leaves most of the rest.
func TestConfidentialStockFirmware(t *testing.T) {
	t.Parallel()
	for platform, active := range map[string]string{vm.SNP: "AMD SEV SEV-ES SEV-SNP", vm.TDX: "Intel TDX"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			testConfidentialStock(t, platform, active)
		})
	}
}

func testConfidentialStock(t *testing.T, platform, active string) {
	b := boot(t, vm.Config{Platform: platform, Memory: 4 * gib, Firmware: ovmf(t), Image: kernel(t, "linux-image-6.12*-cloud-*.deb")})
	b.powersOff(t)
	for _, want := range []string{"efi: EFI v2.7 by Debian distribution of EDK II", "Memory Encryption Features active: " + active, "tacit: init"} {
		if !strings.Contains(b.console, want) {
			t.Errorf("the console lacks %q:\n%s", want, b.console)
		}
	}
	// What OVMF is launched with it does not accept; what it has shared and made private again it accepts once more.
	by, left := b.Acceptance.By, b.Acceptance.UnacceptedAtInit
	if n := by.Firmware.Bytes; n < 2*gib-16*mib || n > 2*gib+64*mib {
		t.Errorf("firmware accepted %d MiB", n/mib)
	}
	if n := by.Kernel.Bytes; n < 256*mib || n > gib || left == nil || *left < gib {
		t.Errorf("the kernel accepted %d MiB, and left %v bytes", n/mib, left)
	}
	meminfo := b.Guest.MemInfo
	if meminfo == nil || meminfo.Unaccepted == nil || left == nil || *meminfo.Unaccepted < *left-64*mib || *meminfo.Unaccepted > *left+8*mib {
		t.Errorf("meminfo is %+v, and %v bytes are not accepted", meminfo, left)
	}
}

// A machine whose firmware runs in the guest is saved and loaded at places that a seed chooses, and goes on as if nothing had been.
func TestResumeStockFirmware(t *testing.T) {
	t.Parallel()
	cfg := vm.Config{Platform: vm.None, Memory: gib, Firmware: ovmf(t)}
	want := uninterrupted(t, cfg)
	want.same(t, resumedIn(t, cfg, ways(0), somePlaces(t, 3, want.instructions)))
}

// Without a kernel it looks for one on the disk, by its own driver for virtio, and goes to its own shell where there is none. It
// writes a variable to its flash chip, and a fork of the machine finds it there and turns itself off.
func TestStockFirmwaresShell(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(imagetest.FAT(t, 16, 34, imagetest.Files{"notes.txt": []byte("hello from a disk")}))
	if err != nil {
		t.Fatal(err)
	}
	disk := vm.Disk{Name: "disk", Content: bytes.NewReader(b), Size: int64(len(b))}
	var console strings.Builder
	m := newMachine(t, vm.Config{Platform: vm.None, Memory: gib, Firmware: ovmf(t), Disks: []vm.Disk{disk}, Console: &console, MaxInstructions: 20_000_000_000})
	defer func() { m.Close() }()
	expect := func(text string) {
		t.Helper()
		if err := m.ExpectString(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	say := func(text string) {
		t.Helper()
		if _, err := m.Type(text); err != nil {
			t.Fatal(err)
		}
	}
	expect("skip")
	say("\x1b")
	expect("Shell> ")
	const guid = "a1111111-2222-3333-4444-555555555555"
	say("setvar there -guid " + guid + " -nv -bs =L\"in flash\"\r")
	expect("Shell> ")
	fork, err := m.Fork(vm.Config{Console: &console})
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	m = fork
	for _, c := range [][2]string{
		{"type fs0:\\notes.txt", "hello from a disk"}, {"dmpstore there -guid " + guid, "69 00 6E 00 20 00 66 00"},
	} {
		say(c[0] + "\r")
		expect(c[1])
		expect("Shell> ")
	}
	say("reset -s\r")
	var ended *vm.ExpectError
	if err := m.ExpectString(t.Context(), "no such text"); !errors.As(err, &ended) || ended.Outcome != record.PowerOff {
		t.Error(err)
	}
}

// What cannot be is said, with the reason.
func TestStockFirmwareRefused(t *testing.T) {
	firmware := image.File{Name: "f.fd", Data: bytes.Repeat([]byte{0xF4}, 64<<10)}
	for want, change := range map[string]func(*vm.Config){
		"this one has 65537":               func(c *vm.Config) { c.Firmware.Data = append(bytes.Clone(firmware.Data), 0) },
		"nothing at its reset vector":      func(c *vm.Config) { c.Firmware.Data = make([]byte, 64<<10) },
		"no name":                          func(c *vm.Config) { c.Firmware.Name = "" },
		"with 2 processors: it can be":     func(c *vm.Config) { c.Platform, c.CPUs = vm.SNP, 2 },
		"a screen: that is tacit's own":    func(c *vm.Config) { c.Screen = vm.Resolution{Width: 640, Height: 480} },
		"firmware policy lazy: that is":    func(c *vm.Config) { c.FirmwarePolicy = "lazy" },
		"at odd boundaries: that is":       func(c *vm.Config) { c.Misalign = true },
		"table of unaccepted memory: that": func(c *vm.Config) { c.UnacceptedTable = true },
		"is not kept for another machine":  func(c *vm.Config) { c.Kept = &vm.Kept{} },
	} {
		cfg := vm.Config{Platform: vm.None, Firmware: firmware}
		change(&cfg)
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// Firmware that is anybody's ends as other guests do.
func TestHostileStockFirmware(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		code []byte // at the reset vector
		want record.Outcome
	}{
		"HLT":                             {[]byte{0xFA, 0xF4}, record.Halted},
		"a loop":                          {[]byte{0xEB, 0xFE}, record.Limit},
		"INT3 without an interrupt table": {[]byte{0x0F, 0x01, 0x1E, 0, 0, 0xCC}, record.TripleFault},
	} {
		b := bytes.Repeat([]byte{0xFF}, 64<<10)
		copy(b[len(b)-16:], c.code)
		r := boot(t, vm.Config{Platform: vm.None, Memory: gib / 8, Firmware: image.File{Name: what, Data: b}, MaxInstructions: 10_000_000})
		if r.Outcome != c.want {
			t.Errorf("%s: %s, %+v", what, r.Outcome, r.Diagnosis)
		}
	}
}
