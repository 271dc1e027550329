package firmware

import (
	"bytes"
	"encoding/binary"

	"github.com/tacit-vm/tacit/uefi"
)

// Device path nodes (UEFI 2.10, section 10.3): type, subtype and length in 4 bytes, then what the node is about.
const (
	pathNodeSize = 4

	pathMedia       = 0x04
	pathVendorMedia = 0x03 // section 10.3.5.3
	pathFile        = 0x04 // section 10.3.5.4
	pathHardware    = 0x01
	pathVendor      = 0x04 // section 10.3.2.4

	pathEnd        = 0x7F
	pathEndOfWhole = 0xFF

	maxPath = 4096 // bytes; a guest's path may be a circle or never end
)

func pathNode(kind, subtype byte, body []byte) []byte {
	b := []byte{kind, subtype}
	b = binary.LittleEndian.AppendUint16(b, uint16(pathNodeSize+len(body)))
	return append(b, body...)
}

// endPath appends the node that ends a path.
func endPath(nodes ...[]byte) []byte {
	return append(bytes.Join(nodes, nil), pathNode(pathEnd, pathEndOfWhole, nil)...)
}

// loadPath reads a device path, with the node that ends it.
func (f *Firmware) loadPath(va uint64) ([]byte, error) {
	var path []byte
	// has reads on until n bytes are there. It does not read beyond the page, which may be the last that is mapped, and
	// not less than that: a guest may have thousands of paths of thousands of nodes.
	has := func(n int) error {
		if n > maxPath {
			return invalidParameter
		}
		for len(path) < n {
			from := va + uint64(len(path))
			b := make([]byte, pageSize-from&pageMask)
			if err := f.read(from, b); err != nil {
				return err
			}
			path = append(path, b...)
		}
		return nil
	}
	for at := 0; ; {
		if err := has(at + pathNodeSize); err != nil {
			return nil, err
		}
		end := at + int(binary.LittleEndian.Uint16(path[at+2:]))
		if end < at+pathNodeSize {
			return nil, invalidParameter
		}
		if err := has(end); err != nil {
			return nil, err
		}
		if path[at] == pathEnd && path[at+1] == pathEndOfWhole {
			return path[:end:end], nil
		}
		at = end
	}
}

// matchPath returns the handle with the protocol whose device path is the longest beginning of path, and how long that
// is; 0 where there is none. What guests have installed may not be a path at all.
func (f *Firmware) matchPath(protocol uefi.GUID, path []byte) (best uint64, length int, err error) {
	for _, h := range f.handles.handles {
		if _, ok := h.find(protocol); !ok {
			continue
		}
		address, ok := h.find(uefi.DevicePathProtocolGUID)
		if !ok {
			continue
		}
		device, err := f.loadPath(address)
		if err == invalidParameter {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		device = device[:len(device)-pathNodeSize]
		if bytes.HasPrefix(path, device) && (best == 0 || len(device) > length) {
			best, length = h.id, len(device)
		}
	}
	return best, length, nil
}

// newPath fails where a device path is installed already.
func (f *Firmware) newPath(address uint64) error {
	path, err := f.loadPath(address)
	if err != nil {
		return err
	}
	h, length, err := f.matchPath(uefi.DevicePathProtocolGUID, path)
	if err != nil {
		return err
	}
	if h != 0 && length == len(path)-pathNodeSize {
		return alreadyStarted
	}
	return nil
}
