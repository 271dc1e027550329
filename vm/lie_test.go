package vm_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// What a stock kernel does with a firmware that lies is what docs/attacks.md says. Whatever it is, it is an end.
func TestFirmwareLiesToDebian13(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	twice := [2]string{"guest-panic: TDX: Failed to accept memory", "guest-panic: PVALIDATE failed"}
	both := func(end string) [2]string { return [2]string{end, end} }
	want := map[firmware.Lie][2]string{ // on TDX, on SEV-SNP: the outcome, and what the diagnosis says
		firmware.LieOverlap:    twice,
		firmware.LieWrap:       both("guest-panic: Kernel panic"),
		firmware.LieStride:     both("guest-panic: Kernel panic"),
		firmware.LieStrideHuge: both("halted: EFI_OUT_OF_RESOURCES"),
		firmware.LieImage:      {"halted: every processor waits", "guest-panic: PVALIDATE failed"},
		firmware.LieAccepted:   twice,
		firmware.LieUnaccepted: {"violation: it was touched before it was accepted", "violation: it was touched before it was validated"},
		firmware.LieTable:      both("halted: EFI_UNSUPPORTED"),
		firmware.LieStale:      twice,
		firmware.LieKey:        both("halted: EFI_INVALID_PARAMETER"),
	}
	for _, lie := range firmware.Lies() {
		t.Run(string(lie.Kind), func(t *testing.T) {
			t.Parallel()
			row := fmt.Sprintf("| `%s` | %s | %s |\n", lie.Kind, want[lie.Kind][0], want[lie.Kind][1])
			if !strings.Contains(string(page), row) {
				t.Errorf("docs/attacks.md does not have the row\n%s", row)
			}
			for i, platform := range []string{vm.TDX, vm.SNP} {
				b := boot(t, vm.Config{Platform: platform, FirmwareLie: string(lie.Kind), Image: debian13(t), MaxInstructions: 1_200_000_000})
				if b.Lie == nil || b.Lie.Told == 0 || b.Diagnosis == nil {
					t.Fatalf("%s: %+v, outcome %s", platform, b.Lie, b.Outcome)
				}
				outcome, end, _ := strings.Cut(want[lie.Kind][i], ": ")
				if d := b.Diagnosis; string(b.Outcome) != outcome || !strings.Contains(d.Summary, end) ||
					!strings.HasPrefix(d.Summary, "firmware lied") || !strings.Contains(d.Advice, "--firmware-lie "+string(lie.Kind)) {
					t.Errorf("%s: outcome %s, %+v; want %s", platform, b.Outcome, d, want[lie.Kind][i])
				}
			}
		})
	}
}

// What a program sees that believes its firmware, and what the record says of it.
func TestFirmwareLieIsSeen(t *testing.T) {
	t.Parallel()
	const left, more = (4*gib - 256*mib) / 4096, 4 * mib / 4096
	for lie, want := range map[firmware.Lie]int{
		"":                     left,
		firmware.LieAccepted:   left + more,
		firmware.LieOverlap:    left + more,
		firmware.LieUnaccepted: left - more,
	} {
		b := boot(t, vm.Config{FirmwarePolicy: "lazy", FirmwareLie: string(lie), Image: application(t, countUnaccepted), Initrd: []byte{}, MaxInstructions: 1_000_000})
		if b.Outcome != record.Reset || !strings.Contains(b.Diagnosis.Summary, fmt.Sprintf("EFI_Status(%#x)", want)) {
			t.Errorf("%q: %s, %+v, want %#x pages", lie, b.Outcome, b.Diagnosis, want)
		}
		if b.Config.FirmwareLie != string(lie) || (b.Lie == nil) != (lie == "") {
			t.Errorf("%q: the record has %q, %+v", lie, b.Config.FirmwareLie, b.Lie)
		}
		if b.Lie != nil && (b.Lie.Told != 1 || b.Lie.Bytes != 4*mib) {
			t.Errorf("%q: %+v", lie, b.Lie)
		}
	}
	b := boot(t, vm.Config{FirmwareLie: "key", Image: application(t, countUnaccepted), Initrd: []byte{}, MaxInstructions: 1_000_000})
	if b.Outcome != record.Limit || b.Lie.Told < 100 || b.Lie.Told != b.Negotiation.ExitBootServices {
		t.Errorf("a program that does not give up: %s, %+v", b.Outcome, b.Lie)
	}
	b = boot(t, vm.Config{FirmwareLie: "unaccepted", FirmwarePolicy: "eager", Image: application(t, countUnaccepted), Initrd: []byte{}, MaxInstructions: 100_000})
	if b.Lie == nil || b.Lie.Told != 0 {
		t.Errorf("nothing to lie about: %+v", b.Lie)
	}
	for _, cfg := range []vm.Config{{FirmwareLie: "white"}, {FirmwareLie: "key", Platform: vm.None}} {
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "firmware lie") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

// A stock kernel takes over a table that firmware has installed, and its books agree with the machine's.
func TestInstalledTable(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{vm.TDX, vm.SNP} {
		b := boot(t, vm.Config{Platform: platform, UnacceptedTable: true, Misalign: true, Image: debian13(t)})
		b.powersOff(t)
		b.booksAgree(t)
		if by := b.Acceptance.By; by.Stub.Bytes != 0 || by.Firmware.Bytes <= 256*mib || !b.Config.UnacceptedTable {
			t.Errorf("%s: the stub accepted %d bytes, firmware %d", platform, by.Stub.Bytes, by.Firmware.Bytes)
		}
	}
}
