package device

import (
	"encoding/binary"
	"errors"
)

// Memory is the guest's memory as a device reaches it. An error says that it does not, and why.
type Memory interface {
	Read(gpa uint64, b []byte) error
	Write(gpa uint64, b []byte) error
}

// What a transfer is to do is in memory, with the highest byte first: what, how many bytes, and where to (QEMU,
// docs/specs/fw_cfg.rst, "FWCfgDmaAccess structure"). The first is overwritten by how it went: 0, or fwCfgError.
const (
	fwCfgAccessSize = 16

	fwCfgError  = 1 << 0
	fwCfgRead   = 1 << 1
	fwCfgSkip   = 1 << 2
	fwCfgSelect = 1 << 3 // the key in the upper half first
	fwCfgStore  = 1 << 4
)

// fwCfgMostZeros is how many zeros a read gets after the end of an item, at most: a guest could ask for 4 GiB of them.
const fwCfgMostZeros = 1 << 20

// errFWCfg is what a transfer fails with that is not for want of memory.
var errFWCfg = errors.New("device: fw_cfg cannot do that")

// transfer does what is asked for at a guest-physical address. What cannot be told to the guest is lost, as on hardware: the
// structure is where the device reaches nothing.
func (f *FWCfg) transfer(at uint64) {
	if f.memory == nil {
		return
	}
	var access [fwCfgAccessSize]byte
	result := uint32(0)
	if err := f.memory.Read(at, access[:]); err != nil {
		result = fwCfgError
	} else {
		big := binary.BigEndian
		if err := f.access(big.Uint32(access[:]), big.Uint32(access[4:]), big.Uint64(access[8:])); err != nil {
			result = fwCfgError
		}
	}
	_ = f.memory.Write(at, binary.BigEndian.AppendUint32(nil, result))
}

func (f *FWCfg) access(control, length uint32, to uint64) error {
	if control&fwCfgSelect != 0 {
		f.choose(uint16(control >> 16))
	}
	switch {
	case length == 0:
		return nil
	case control&fwCfgRead != 0:
		item := f.items[f.key]
		rest := item[min(f.at, uint64(len(item))):]
		rest = rest[:min(len(rest), int(length))]
		zeros := int(length) - len(rest)
		if zeros > fwCfgMostZeros {
			return errFWCfg
		}
		if err := f.memory.Write(to, rest); err != nil {
			return err
		}
		f.at += uint64(len(rest))
		return f.memory.Write(to+uint64(len(rest)), make([]byte, zeros))
	case control&fwCfgStore != 0:
		return errFWCfg
	case control&fwCfgSkip != 0:
		f.at = min(f.at+uint64(length), uint64(len(f.items[f.key])))
	}
	return nil
}
