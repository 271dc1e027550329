package vm_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// fw_cfg reads what it is to do from memory, and writes items there: in a confidential guest from shared memory alone. What is
// private stays as it was, and is no place to ask from.
func TestFWCfgByDMA(t *testing.T) {
	t.Parallel()
	img := programIn(t, "fwcfg.c", "transfers")
	const both = "signature 554d4551,read 0,what 554d4551,files 1,read a name 0,what 2f637465,write 1,"
	for platform, want := range map[string]string{
		vm.None: both + "read into own memory 0,what 554d4551,asked in own memory 0,asked beyond memory a",
		vm.TDX:  both + "read into own memory 1,what 12345678,asked in own memory a,asked beyond memory a",
		vm.SNP:  both + "read into own memory 1,what 12345678,asked in own memory a,asked beyond memory a",
	} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			var console bytes.Buffer
			r, err := vm.Run(t.Context(), vm.Config{
				Platform: platform, Image: img, Memory: 1 << 30, FirmwareAccepts: 64 << 20, FirmwarePolicy: "lazy", MaxInstructions: 100_000_000, Console: &console,
			})
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(regexp.MustCompile(`(?m)^(?:signature|read|what|files|write|asked).* [0-9a-f]+`).FindAllString(console.String(), -1), ",")
			if r.Outcome != record.PowerOff || said != want {
				t.Errorf("%s: %+v\nsaid %s\nwant %s\n%s", r.Outcome, r.Diagnosis, said, want, console.String())
			}
		})
	}
}
