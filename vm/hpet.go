package vm

import (
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
)

// hpetACPI describes the high precision event timers to the operating system; nil where there are none.
func (m *Machine) hpetACPI() *acpi.HPET {
	if !m.cfg.HPET {
		return nil
	}
	h := &acpi.HPET{BlockID: device.HPETBlockID, Base: device.HPETBase, Size: device.HPETSize}
	for n := range device.HPETTimers {
		h.GSIs = append(h.GSIs, uint32(device.HPETPin(n)))
	}
	return h
}
