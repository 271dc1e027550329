package image

import (
	"context"
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// Modules come out of every kind of package, unpacked, in the order that is asked for; those of another release do not, nor does
// what is not there.
func TestKernelModules(t *testing.T) {
	files := imagetest.Files{
		"usr/lib/modules/6.12.9/kernel/drivers/char/virtio-rng.ko.zst": imagetest.Zstd(t, []byte("rng")),
		"usr/lib/modules/6.12.9/kernel/drivers/block/virtio_blk.ko":    []byte("blk"),
		"usr/lib/modules/6.12.9/kernel/drivers/block/virtio_blk.konf":  []byte("text"),
		"usr/lib/modules/6.12.10/kernel/net/failover.ko":               []byte("another release's"),
	}
	wanted := []string{"virtio_blk", "failover", "virtio-rng"}
	for format, b := range packagesOf(t, files) {
		all, err := KernelModules(t.Context(), writeFile(t, b), "6.12.9", wanted)
		if err != nil || len(all) != 2 || string(all[0].Data) != "blk" || all[0].Name != "virtio_blk.ko" || string(all[1].Data) != "rng" || all[1].Name != "virtio_rng.ko" {
			t.Errorf("%s: %q, %v", format, all, err)
		}
		if format == "deb" || format == "rpm" { // of others the beginning says nothing
			_, err = KernelModules(t.Context(), writeFile(t, b[:len(b)/3]), "6.12.9", wanted)
			wantError(t, format+" that is truncated", err, "")
		}
	}
	if all, err := KernelModules(t.Context(), writeFile(t, bzImage([]byte("payload"))), "6.12.9", wanted); len(all) != 0 || err != nil {
		t.Errorf("what is no package: %q, %v", all, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := KernelModules(ctx, writeFile(t, imagetest.Deb(t, files)), "6.12.9", wanted); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
