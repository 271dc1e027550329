package firmware

import (
	"bytes"
	"encoding/binary"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_DEVICE_PATH_UTILITIES_PROTOCOL (UEFI 2.10, section 10.5). What it makes is in pool memory, for the caller to
// free.

const pathEndOfInstance = 0x01 // of pathEnd

var devicePathUtilities = []function{
	member("DevicePathUtilities.GetDevicePathSize", uefi.DevicePathUtilitiesGetSize, 1, (*Firmware).pathSize),
	member("DevicePathUtilities.DuplicateDevicePath", uefi.DevicePathUtilitiesDuplicate, 1, (*Firmware).duplicatePath),
	member("DevicePathUtilities.AppendDevicePath", uefi.DevicePathUtilitiesAppendPath, 2, (*Firmware).appendPath),
	member("DevicePathUtilities.AppendDeviceNode", uefi.DevicePathUtilitiesAppendNode, 2, (*Firmware).appendNode),
	member("DevicePathUtilities.AppendDevicePathInstance", uefi.DevicePathUtilitiesAppendInstance, 2, (*Firmware).appendInstance),
	member("DevicePathUtilities.GetNextDevicePathInstance", uefi.DevicePathUtilitiesNextInstance, 2, (*Firmware).nextInstance),
	member("DevicePathUtilities.IsDevicePathMultiInstance", uefi.DevicePathUtilitiesIsMultiInstance, 1, (*Firmware).isMultiInstance),
	member("DevicePathUtilities.CreateDeviceNode", uefi.DevicePathUtilitiesCreateNode, 3, (*Firmware).createNode),
}

// pathSize(*DevicePath) returns bytes, 0 for no path.
func (f *Firmware) pathSize(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		path, err := f.loadPath(a[0])
		return uint64(len(path)), err
	})
}

// pathOrNone reads a path; nothing is the path that has no nodes.
func (f *Firmware) pathOrNone(at uint64) ([]byte, error) {
	if at == 0 {
		return endPath(), nil
	}
	return f.loadPath(at)
}

// duplicatePath(*DevicePath)
func (f *Firmware) duplicatePath(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		path, err := f.loadPath(a[0])
		if err != nil {
			return 0, err
		}
		return f.putPool(uefi.BootServicesData, path)
	})
}

// joined makes the path that has the nodes of one, something between, and the rest.
func (f *Firmware) joined(at uint64, between []byte, rest func() ([]byte, error)) error {
	return f.pointerOrNone(func() (uint64, error) {
		first, err := f.pathOrNone(at)
		if err != nil {
			return 0, err
		}
		last, err := rest()
		if err != nil {
			return 0, err
		}
		first = first[:len(first)-pathNodeSize]
		if len(first) == 0 {
			between = nil
		}
		if len(first)+len(last) > maxPath {
			return 0, outOfResources
		}
		return f.putPool(uefi.BootServicesData, bytes.Join([][]byte{first, between, last}, nil))
	})
}

// appendPath(*Src1, *Src2)
func (f *Firmware) appendPath(a args) error {
	return f.joined(a[0], nil, func() ([]byte, error) { return f.pathOrNone(a[1]) })
}

// appendNode(*DevicePath, *DeviceNode)
func (f *Firmware) appendNode(a args) error {
	return f.joined(a[0], nil, func() ([]byte, error) {
		if a[1] == 0 {
			return endPath(), nil
		}
		node, err := f.loadNode(a[1])
		return endPath(node), err
	})
}

// appendInstance(*DevicePath, *DevicePathInstance)
func (f *Firmware) appendInstance(a args) error {
	return f.joined(a[0], pathNode(pathEnd, pathEndOfInstance, nil), func() ([]byte, error) { return f.loadPath(a[1]) })
}

// instance returns the first of a path's instances, without the node that ends it.
func instance(path []byte) []byte {
	for at := 0; at+pathNodeSize <= len(path); at += int(binary.LittleEndian.Uint16(path[at+2:])) {
		if path[at] == pathEnd {
			return path[:at]
		}
	}
	return path
}

// nextInstance(**DevicePathInstance, *DevicePathInstanceSize)
func (f *Firmware) nextInstance(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		at, err := f.load64(a[0])
		if err != nil || at == 0 {
			return 0, err
		}
		path, err := f.loadPath(at)
		if err != nil {
			return 0, err
		}
		first := instance(path)
		next := uint64(0)
		if rest := len(first) + pathNodeSize; rest < len(path) {
			next = at + uint64(rest)
		}
		if err := f.store64(a[0], next); err != nil {
			return 0, err
		}
		if a[1] != 0 {
			if err := f.store64(a[1], uint64(len(first)+pathNodeSize)); err != nil {
				return 0, err
			}
		}
		return f.putPool(uefi.BootServicesData, endPath(first))
	})
}

// isMultiInstance(*DevicePath)
func (f *Firmware) isMultiInstance(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		path, err := f.loadPath(a[0])
		if err != nil || len(instance(path))+pathNodeSize == len(path) {
			return 0, err
		}
		return 1, nil
	})
}

// createNode(NodeType, NodeSubType, NodeLength)
func (f *Firmware) createNode(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		n := uint16(a[2])
		if n < pathNodeSize {
			return 0, invalidParameter
		}
		return f.putPool(uefi.BootServicesData, pathNode(byte(a[0]), byte(a[1]), make([]byte, n-pathNodeSize)))
	})
}
