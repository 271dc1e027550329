package certify_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/vm"
)

// certified boots an image once, and holds it against what is required.
func certified(t *testing.T, img *image.Image, platform, policy, require string) (*certify.Certificate, string) {
	t.Helper()
	required, err := inspect.ParseRequirements(require)
	if err != nil {
		t.Fatal(err)
	}
	c, err := certify.Run(t.Context(), certify.Config{
		Subjects: []certify.Subject{{Image: img}}, Platforms: []string{platform}, Policies: []string{policy}, Require: required,
	})
	if err != nil {
		t.Fatal(err)
	}
	var junit bytes.Buffer
	if err := c.WriteJUnit(&junit); err != nil {
		t.Fatal(err)
	}
	return c, junit.String()
}

// Debian 12's 6.1 loses nearly all of its memory where firmware is lazy, and cannot be a TDX guest.
func TestStockKernelFailsItsCase(t *testing.T) {
	old := kernel(t, "linux-image-6.1.0-*-cloud-amd64_*.deb")
	for _, c := range []struct{ platform, require, says string }{
		{vm.SNP, "snp,snp-guest", `<failure message="required snp: no: it sees 153 MiB of 4 GiB">`},
		{vm.TDX, "tdx-guest", `<failure message="required tdx-guest: no: triple-fault before its init">`},
	} {
		got, junit := certified(t, old, c.platform, "lazy", c.require)
		if v := got.Verdicts[0]; v.Result != certify.Failed || !strings.Contains(junit, c.says) || !strings.Contains(junit, `tests="2" failures="2" errors="0"`) {
			t.Errorf("%s: %s, %v\n%s", c.platform, v.Line, v.Required, junit)
		}
	}
}

// A unified kernel image has its command line and initrd with it.
func TestUnifiedKernelImage(t *testing.T) {
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		t.Fatal(err)
	}
	uki := filepath.Join(t.TempDir(), "uki.efi")
	imagetest.Unified(t, uki, kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb").Data, "console=ttyS0 quiet", initrd)
	img, err := image.Open(t.Context(), uki)
	if err != nil {
		t.Fatal(err)
	}
	if c, junit := certified(t, img, vm.TDX, "negotiate", "tdx,lazy,negotiate"); !c.OK() || c.Verdicts[0].Image != "uki.efi" {
		t.Errorf("%s\n%s", c.Verdicts[0].Line, junit)
	}
}
