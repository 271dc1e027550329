package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, name string, b []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// One kernel, found in each thing it may come in. The files have names that say something else.
func TestOpen(t *testing.T) {
	kernel := bzImage(payloadOf(t, []byte("\x7fELF kernel")))
	inBoot := deb(t, map[string][]byte{"./boot/config-6": nil, "./boot/vmlinuz-6": kernel}, "./boot/config-6", "./boot/vmlinuz-6")
	inModules := deb(t, map[string][]byte{"./usr/lib/modules/6/vmlinuz": kernel}, "./usr/lib/modules/6/vmlinuz")
	for _, test := range []struct {
		name   string
		file   []byte
		source string // after the path
		kind   Kind
		title  string
		data   []byte
	}{
		{"a.deb", kernel, "", BzImage, syntheticRelease, kernel},
		{"bzImage", inBoot, ": boot/vmlinuz-6", BzImage, syntheticRelease, kernel},
		{"a.efi", inModules, ": usr/lib/modules/6/vmlinuz", BzImage, syntheticRelease, kernel},
		{"vmlinuz", efiApplication(), "", EFIApplication, "vmlinuz", efiApplication()},
	} {
		path := write(t, test.name, test.file)
		img, err := Open(context.Background(), path)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if img.Source != path+test.source || img.Kind != test.kind || img.Name != test.title || !bytes.Equal(img.Data, test.data) {
			t.Errorf("%s: got %q, a %v named %q with %d bytes", test.name, img.Source, img.Kind, img.Name, len(img.Data))
		}
		if err := img.Bootable(); err != nil {
			t.Errorf("%s: not bootable: %v", test.name, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	_, err := Open(context.Background(), filepath.Join(t.TempDir(), "nothing"))
	wantError(t, "no file", err, "nothing", "no such file")
	_, err = Open(context.Background(), t.TempDir())
	wantError(t, "a directory", err, "a directory, which is no OCI layout of a container image")

	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Open(cancelled, write(t, "kernel", bzImage(nil)))
	wantError(t, "cancelled", err, "context canceled")
}

func TestSetup(t *testing.T) {
	img, err := Parse("k", bzImage([]byte("payload")))
	if err != nil {
		t.Fatal(err)
	}
	want := Setup{
		SetupSects: 1, Syssize: (64 + 16) / 16, Version: 0x020f, KernelVersion: syntheticRelease + " (somebody@host) #1 SMP",
		KernelAlignment: 2 << 20, RelocatableKernel: true, XLoadFlags: XLFKernel64 | XLFCanBeLoadedAbove4G | XLFEFIHandover64,
		CmdlineSize: 2047, PayloadOffset: 64, PayloadLength: 7, PrefAddress: 16 << 20, InitSize: 64 << 20,
		HandoverOffset: 0x1234, KernelInfoOffset: 0x5678,
	}
	if *img.Setup != want {
		t.Errorf("got  %+v\nwant %+v", *img.Setup, want)
	}
	if got := string(img.packedPayload()); got != "payload" {
		t.Errorf("the payload is %q", got)
	}
}

// edit returns a copy of b with other bytes at an offset.
func edit(b []byte, at int, with string) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	return b
}

// What is damaged says so, in one line that names the file.
func TestDamaged(t *testing.T) {
	kernel, application := bzImage(make([]byte, 64)), efiApplication()
	kernelSize := len(kernel)
	for _, test := range []struct {
		what string
		data []byte
		says string
	}{
		{"nothing", nil, "not a kernel package"},
		{"text", []byte("#!/bin/sh\necho this is no kernel, whatever it is called\n"), "not a kernel package"},
		{"an ELF file", []byte("\x7fELF\x02\x01\x01"), "give the bzImage"},
		{"a bzImage cut within the header", kernel[:0x210], "truncated bzImage"},
		{"a bzImage cut within the code", kernel[:kernelSize-1], "truncated bzImage"},
		{"a payload beyond the file", edit(kernel, 0x24c, "\xff\xff\xff\xff"), "its payload ends at byte"},
		{"an ancient kernel", edit(kernel, 0x206, "\x04\x02"), "boot protocol 2.04"},
		{"MZ and nothing", append([]byte("MZ"), make([]byte, 100)...), "no valid PE header"},
		{"a PE file cut within the header", application[:0x80], "no valid PE header"},
		{"a PE file cut within a section", application[:0x2ff], "truncated PE file: section \".text\""},
		{"an entry point outside", edit(application, peEntryOffset, "\x00\x00\x00\x7f"), "entry point"},
	} {
		_, err := Parse("FILE", test.data)
		wantError(t, test.what, err, "FILE: ", test.says)
	}
}

// What is sound, but not for this firmware, is opened: others want to look at it. Bootable says why not.
func TestUnbootable(t *testing.T) {
	kernel, application := bzImage(nil), efiApplication()
	for _, test := range []struct {
		what string
		data []byte
		says string
	}{
		{"a kernel without stub", edit(kernel, 0, "\xea\x05"), "without EFI stub"},
		{"a 32-bit kernel", edit(kernel, 0x236, "\x00"), "32-bit kernel"},
		{"a 32-bit stub", edit(kernel, peMachineOffset, "\x4c\x01"), "another processor"},
		{"an application for arm64", edit(application, peMachineOffset, "\x64\xaa"), "another processor"},
		{"a driver", edit(application, peSubsystemOffset, "\x0b"), "no EFI application"},
		{"a zboot kernel", edit(application, 4, "zimg"), "EFI zboot"},
	} {
		img, err := Parse("FILE", test.data)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		wantError(t, test.what, img.Bootable(), "FILE: ", test.says)
	}
	img, err := Parse("FILE", edit(kernel, 0x300, "6\x1b[2J\xff evil\x00"))
	if err != nil || img.Name != "6?[2J?" {
		t.Errorf("a version with control characters is named %q, %v", img.Name, err)
	}
	img, err = Parse("FILE", edit(kernel, 0x20e, "\xff\xff"))
	if err != nil || img.Name != "unknown" {
		t.Errorf("a version beyond the file is named %q, %v", img.Name, err)
	}
}

func TestDebFails(t *testing.T) {
	kernel := bzImage(nil)
	files := map[string][]byte{"./boot/vmlinuz-6": kernel, "./boot/config-6": nil}
	whole := deb(t, files, "./boot/vmlinuz-6")
	for _, test := range []struct {
		what string
		data []byte
		says string
	}{
		{"no kernel", deb(t, files, "./boot/config-6"), "no kernel in this package"},
		{"no data", ar("debian-binary", []byte("2.0\n")), "without data.tar"},
		{"nothing after the magic", []byte(arMagic), "without data.tar"},
		{"cut within data", whole[:len(whole)-1], "truncated package: \"data.tar.zst\" has"},
		{"cut within a header", whole[:100], "truncated package"},
		{"no header where one belongs", edit(whole, 8+58, "x"), "no ar header at byte 8"},
		{"a negative size", edit(whole, 8+48, "-1"), "no ar header at byte 8"},
		{"damaged data", edit(whole, len(whole)-20, "\xff\xff\xff\xff"), "damaged package"},
		{"data that is no archive", ar("data.tar", bytes.Repeat([]byte("x"), 2048)), "damaged package"},
		{"a kernel that is none", deb(t, map[string][]byte{"./boot/vmlinuz-6": []byte("no")}, "./boot/vmlinuz-6"), "vmlinuz-6: not a kernel"},
	} {
		_, err := Open(context.Background(), write(t, "package", test.data))
		wantError(t, test.what, err, "package: ", test.says)
	}
}

func TestPayload(t *testing.T) {
	vmlinux := []byte("\x7fELF kernel")
	good := payloadOf(t, vmlinux)
	img, err := Parse("FILE", bzImage(good))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := img.Payload(); err != nil || !bytes.Equal(got, vmlinux) {
		t.Errorf("got %q, %v", got, err)
	}
	size := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(good[:len(good)-4:len(good)-4], n) }
	for _, test := range []struct {
		what    string
		payload []byte
		says    string
	}{
		{"none", nil, "kernel payload: none"},
		{"too short", size(uint32(len(vmlinux) - 1)), "payload"},
		{"too long", size(uint32(len(vmlinux) + 1)), "instead of"},
		{"a bomb", size(1 << 31), "at most"},
		{"no ELF file", payloadOf(t, []byte("something else")), "not an ELF file"},
		{"damaged", edit(good, 6, "\xff\xff\xff"), "payload"},
		{"of no known format", append([]byte("????????"), size(8)...), "not an ELF file"},
	} {
		img, err := Parse("FILE", bzImage(test.payload))
		if err != nil {
			t.Fatal(err)
		}
		_, err = img.Payload()
		wantError(t, test.what, err, "FILE: kernel payload: ", test.says)
	}
	img, err = Parse("FILE", efiApplication())
	if err != nil {
		t.Fatal(err)
	}
	_, err = img.Payload()
	wantError(t, "an application", err, "has no kernel payload")
}
