// Package rom is firmware that runs inside the guest: an image of a PC's flash chip, such as EDK2's OVMF, which lies just below
// 4 GiB and at whose end the processor begins. Package firmware is the other kind: it is served from Go.
package rom

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// Bounds of an image, in bytes. QEMU takes no more than 8 MiB unless it is told to (hw/i386/pc.c, max-fw-size), and no device may
// lie where it is.
const (
	MaxSize = 16 << 20
	minSize = 64 << 10
)

// An Image is firmware as it lies in the guest's memory.
type Image struct {
	bytes     []byte
	variables uint64 // bytes at the beginning to which the firmware may write
}

// volumeOfVariables is what EDK2 calls a firmware volume in which variables are (MdeModulePkg/Include/Guid/SystemNvDataGuid.h).
var volumeOfVariables = uefi.MustParseGUID("fff12b8d-7696-4c8b-a985-2747075b4f50")

// Parse looks at the bytes of an image. Of a chip's image in two files, one of code and one of variables, it is the code's; that
// firmware finds no variables.
func Parse(b []byte) (*Image, error) {
	switch {
	case len(b) < minSize || len(b) > MaxSize || len(b)%device.FlashBlock != 0:
		return nil, fmt.Errorf("an image of firmware has %d bytes to %d, in whole pages: this one has %d", minSize, MaxSize, len(b))
	case blank(b[len(b)-16:]):
		return nil, fmt.Errorf("no firmware that a processor can begin with: there is nothing at its reset vector, 16 bytes before the end. Are these the variables of an image in two files?")
	}
	return &Image{b, variables(b)}, nil
}

// blank says whether nothing has been programmed.
func blank(b []byte) bool {
	return bytes.Count(b, []byte{0}) == len(b) || bytes.Count(b, []byte{0xFF}) == len(b)
}

// variables is how long the volume of variables is that an image begins with (PI 1.8, volume 3, 3.2.1).
func variables(b []byte) uint64 {
	const guid, length, signature = 16, 32, 40
	n := binary.LittleEndian.Uint64(b[length:])
	if uefi.GUID(b[guid:guid+16]) != volumeOfVariables || string(b[signature:signature+4]) != "_FVH" || n >= uint64(len(b)) || n%device.FlashBlock != 0 {
		return 0
	}
	return n
}

// Variables is where the firmware keeps variables, guest-physical, and what is there at first; empty where it keeps none.
func (i *Image) Variables() (where accept.Range, content []byte) {
	start := i.all().Start
	return accept.Range{Start: start, End: start + i.variables}, i.bytes[:i.variables]
}

// Code is where the rest of it lies, and what is there.
func (i *Image) Code() (where accept.Range, content []byte) {
	all, _ := i.Variables()
	return accept.Range{Start: all.End, End: physical.HighStart}, i.bytes[i.variables:]
}
