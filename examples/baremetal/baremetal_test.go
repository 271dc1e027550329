package main_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

func application(t *testing.T) *image.Image {
	t.Helper()
	img, err := image.Parse("baremetal.efi", guesttest.Application(t, ".", guesttest.Relocatable...))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// What the program says that it did is what the machine saw it do.
func TestBoots(t *testing.T) {
	const mib = 1 << 20
	img := application(t)
	lazily := func(platform string) string {
		return "This is " + platform + `.
3840 MiB are unaccepted.
1 MiB used, 2 MiB accepted for it.
1 MiB used, 2 MiB accepted for it.
1 MiB used, 0 MiB accepted for it.
1 MiB used, 2 MiB accepted for it.
3834 MiB are still unaccepted.
`
	}
	for _, c := range []struct {
		platform, console string
		accepted          uint64
	}{
		{vm.TDX, lazily("a TDX guest"), 6 * mib},
		{vm.SNP, lazily("an SEV-SNP guest"), 6 * mib},
		{vm.None, "This is no confidential guest.\nNothing is unaccepted.\n", 0},
	} {
		var console bytes.Buffer
		r, err := vm.Run(context.Background(), vm.Config{Platform: c.platform, Image: img, Console: &console, MaxInstructions: 100_000_000})
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome != record.PowerOff {
			t.Errorf("%s: outcome %s, %+v", c.platform, r.Outcome, r.Diagnosis)
		}
		if got := strings.ReplaceAll(console.String(), "\r", ""); got != c.console {
			t.Errorf("%s: it printed\n%s\nand not\n%s", c.platform, got, c.console)
		}
		// Boot services were never left, so that the machine takes the program for a loader.
		if got := r.Acceptance.By.Stub.Bytes; got != c.accepted {
			t.Errorf("%s: the program accepted %d bytes, want %d", c.platform, got, c.accepted)
		}
		if left := *r.Acceptance.UnacceptedAtEnd; c.accepted > 0 && left != 3834*mib {
			t.Errorf("%s: %d MiB are unaccepted at the end", c.platform, left/mib)
		}
	}
}

// Firmware has relocated the program, and diagnoses name its functions all the same.
func TestIsNamedInDiagnoses(t *testing.T) {
	r, err := vm.Run(context.Background(), vm.Config{Platform: vm.SNP, Image: application(t), MaxInstructions: 300_000})
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != record.Limit || !strings.HasPrefix(r.Diagnosis.Symbol, "github.com/tacit-vm/tacit/accept/snp.") {
		t.Errorf("outcome %s, %+v: want it in the driver", r.Outcome, r.Diagnosis)
	}
}
