package vm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Stock OVMF as an SEV-SNP guest of a host that cheats from power-on: what becomes of it is what docs/attacks.md says.
func TestStockFirmwareAttacked(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "\n| attack on OVMF | seen |\n|---|---|\n")
	if !found {
		t.Fatal("docs/attacks.md has no table of attacks on OVMF")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	const enough = 80_000_000 // instructions: it has switched on paging, and taken its memory
	run := func(t *testing.T, attack string) *record.Record {
		b := boot(t, vm.Config{Platform: vm.SNP, Memory: gib, Firmware: ovmf(t), HostAttack: attack, MaxInstructions: enough})
		if b.Diagnosis == nil {
			t.Fatalf("%s: it ends with %s within %d instructions", attack, b.Outcome, enough)
		}
		return b.Record
	}
	at := func(r *record.Record) record.Address {
		if r.Diagnosis.RIP == nil {
			return 0
		}
		return *r.Diagnosis.RIP
	}
	honest := run(t, "")
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "| "), " | ")
		name, want := strings.Trim(cells[0], "`"), cells[1]
		t.Run(name, func(t *testing.T) {
			r := run(t, name+"@now")
			if r.Attack == nil || len(r.Attack.Steps) == 0 {
				t.Fatal("there was no occasion")
			}
			const flash = 0xFFC0_0000 // what runs from there is the first of its phases, SEC
			got := "gives up"
			switch {
			case len(r.Attack.Broken) > 0:
				got = "asks for ever"
			case r.Outcome == record.Limit && at(r) == at(honest):
				got = "goes on"
			case r.Outcome == record.Limit && at(r) >= flash:
				got = "stands still"
			case r.Outcome == record.Limit:
				got = "goes another way"
			}
			if !strings.HasPrefix(want, got) {
				t.Errorf("it %s, and the page says %q: %s", got, want, r.Diagnosis.Summary)
			}
		})
	}
}
