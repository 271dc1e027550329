package smbios_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/firmware/smbios"
)

// dmidecode reads the structures as they are meant, and finds nothing broken in them.
func TestDmidecode(t *testing.T) {
	dmidecode := "dmidecode"
	if _, err := exec.LookPath(dmidecode); err != nil {
		dmidecode = "/usr/sbin/dmidecode" // which is not in everybody's PATH
	}
	m := smbios.Machine{Sockets: 2, Cores: 4, Threads: 2, Seed: 1, RAM: []smbios.Range{{Start: 0, End: 2 << 30}, {Start: 4 << 30, End: 66 << 30}}}
	// What dmidecode calls a dump has the entry point at 0 and the structures where that says, at 32 here.
	const at = 32
	b := m.Tables(0)
	dump := append(append(b[:24:24], make([]byte, at-24)...), b[24:]...)
	binary.LittleEndian.PutUint64(dump[16:], at)
	dump[5] = 0
	var sum byte
	for _, v := range dump[:24] {
		sum += v
	}
	dump[5] = -sum
	file := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(file, dump, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(dmidecode, "--from-dump", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: scripts/install-tools installs dmidecode\n%s", err, said)
	}
	text := string(said)
	for _, want := range []string{
		"SMBIOS 3.6.0 present", "Vendor: tacit", "UEFI is supported", "System is a virtual machine", "Product Name: virtual machine",
		"Core Count: 4", "Thread Count: 8", "Maximum Capacity: 64 GB", "Size: 64 GB", "Ending Address: 0x000000107FFFFFFFk", "Status: No errors detected", "End Of Table",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("dmidecode does not say %q", want)
		}
	}
	for _, bad := range []string{"BROKEN", "OUT OF SPEC", "Wrong", "truncated", "Invalid", "mismatch"} {
		if strings.Contains(text, bad) {
			t.Errorf("dmidecode says %q", bad)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// The entry point's bytes add up to 0, wherever it is, and it leads to what follows it.
func TestEntryPoint(t *testing.T) {
	m := smbios.Machine{Sockets: 1, Cores: 1, Threads: 1, RAM: []smbios.Range{{Start: 0, End: 1 << 30}}}
	b := m.Tables(0x1234_5670)
	var sum byte
	for _, v := range b[:24] {
		sum += v
	}
	if sum != 0 || string(b[:5]) != "_SM3_" || binary.LittleEndian.Uint64(b[16:]) != 0x1234_5670+24 || int(binary.LittleEndian.Uint32(b[12:])) != len(b)-24 {
		t.Errorf("entry point % x: sum %d", b[:24], sum)
	}
}
