package vm_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/cost/measure"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/vm"
)

// measured boots Linux with the program for init that measures, and returns what it printed.
func measured(t *testing.T, init []byte, cfg vm.Config) measure.Set {
	t.Helper()
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: init})
	if err != nil {
		t.Fatal(err)
	}
	line := "console=ttyS0 quiet panic=-1"
	if cfg.HostPage == 4<<10 {
		line += " -- host-4K"
	}
	cfg.Image, cfg.Initrd, cfg.CommandLine = debian13(t), initrd, &line
	b := boot(t, cfg)
	b.powersOff(t)
	_, text, ok := strings.Cut(strings.ReplaceAll(b.console, "\r\n", "\n"), "--- measured\n")
	text, _, whole := strings.Cut(text, "--- end\n")
	if !ok || !whole {
		t.Fatalf("nothing was measured: %s", b.console)
	}
	s, err := file.ReadMeasurements(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	t.Logf("\n%s", text)
	return s
}

// What an ordinary program measures inside a guest gives the machine's own numbers back, but for what the guest's kernel
// does in between: some per cent. One machine has numbers of its own, of which the fit knows nothing. Of what is measured
// as a sum the sum is asserted.
func TestMeasurementsGiveTheModelBack(t *testing.T) {
	init, err := os.ReadFile(guesttest.Executable(t, "./testdata/measure"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := file.Read(strings.NewReader(`{name: other, base: tdx-estimate-1, costs: {
		exit: {ns: 4000, source: "estimate: a test"}, module-call: {ns: 900, source: "estimate: a test"}, ve: {ns: 1500, source: "estimate: a test"},
		host-add-2m: {ns: 150000, source: "estimate: a test"}, accept-2m: {ns: 350000, source: "estimate: a test"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		cfg   vm.Config
		gives [][]cost.Event
	}{
		"tdx": {vm.Config{Platform: vm.TDX, Cost: other}, [][]cost.Event{{cost.ModuleCall}, {cost.VE}, {cost.Exit}, {cost.HostAdd2M, cost.TDXAccept2M}}},
		"tdx, 4K pages": {vm.Config{Platform: vm.TDX, Cost: cost.TDX(), HostPage: 4 << 10},
			[][]cost.Event{{cost.ModuleCall}, {cost.VE}, {cost.Exit}, {cost.HostAdd4K, cost.TDXAccept4K}}},
		"snp": {vm.Config{Platform: vm.SNP, Cost: cost.SNP()},
			[][]cost.Event{{cost.Exit}, {cost.HostAdd2M, cost.PValidate2M, cost.PageStateChange, cost.PageStateChange2M, cost.RMPUpdate}}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := measured(t, init, c.cfg)
			base, err := cost.Of(c.cfg.Platform)
			if err != nil {
				t.Fatal(err)
			}
			rows, refused, err := measure.Fit(s, base)
			if err != nil || len(refused) > 0 || len(s.Notes) > 0 {
				t.Fatal(err, refused, s.Notes)
			}
			for _, row := range rows {
				if same := row == base.Row(row.Event); same == slices.Contains(slices.Concat(c.gives...), row.Event) {
					t.Errorf("%+v: as in the base is %v", row, same)
				}
			}
			for _, events := range c.gives {
				var got, want int64
				for _, row := range rows {
					if slices.Contains(events, row.Event) {
						got, want = got+row.NS, want+c.cfg.Cost.NS(row.Event)
					}
				}
				off := float64(got)/float64(want) - 1
				t.Logf("%v: measured %d ns, and costs %d: %+.1f %%", events, got, want, 100*off)
				if off < -0.08 || off > 0.08 {
					t.Errorf("%v: %d ns, want %d", events, got, want)
				}
			}
		})
	}
}
