package scenario

import (
	"bytes"
	"io"

	"github.com/tacit-vm/tacit/internal/bootdisk"
	"github.com/tacit-vm/tacit/vm"
)

// esp makes a disk whose EFI system partition has files, by their paths with slashes.
func esp(files map[string][]byte) ([]vm.Disk, error) {
	var b bytes.Buffer
	if err := bootdisk.Write(&b, files); err != nil {
		return nil, err
	}
	content := bytes.NewReader(b.Bytes())
	return []vm.Disk{{
		Name: "disk.img", Format: "disk image", Content: content, Size: content.Size(), File: io.NewSectionReader(content, 0, content.Size()),
	}}, nil
}
