package certify

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// OpenDisk opens the disk at a path as image.OpenDisk does, or makes one of the boot loader and the kernel of a container image
// (image.Installed), with tacit's init, which reports. The error is image.ErrNoDisk for what is neither.
func OpenDisk(ctx context.Context, path string) (*image.Disk, error) {
	d, err := image.OpenDisk(ctx, path)
	if !errors.Is(err, image.ErrNoDisk) {
		return d, err
	}
	if info, statErr := os.Stat(path); statErr != nil || !info.IsDir() {
		return nil, err
	}
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		return nil, fmt.Errorf("the initramfs of tacit's own init: %w", err)
	}
	return image.Installed(ctx, path, initrd, vm.CommandLine)
}
