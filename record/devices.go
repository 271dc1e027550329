package record

import (
	"fmt"
	"io"
)

// A Device is what has gone through a device on the PCI bus.
type Device struct {
	Slot         string `json:"slot"` // "00:02.0"
	Name         string `json:"name"` // "virtio-blk"
	Requests     uint64 `json:"requests"`
	ReadBytes    uint64 `json:"read_bytes"`    // from the device to the guest
	WrittenBytes uint64 `json:"written_bytes"` // from the guest to the device
	Flushes      uint64 `json:"flushes"`
	Errors       uint64 `json:"errors"`  // requests that the device answered with an error
	Refused      uint64 `json:"refused"` // accesses to memory that were refused to the device, and rules of the rings that its driver broke
	Why          string `json:"why"`     // of the first of these, or else of the first error; empty where there was neither
}

// devicesLines says what has gone through the devices that were used.
func (r *Record) devicesLines(w io.Writer) {
	for _, d := range r.Devices {
		if d.Requests == 0 && d.Refused == 0 {
			continue
		}
		text := []string{FormatBytes(d.ReadBytes) + " read", FormatBytes(d.WrittenBytes) + " written", FormatCount(d.Requests) + " requests"}
		if d.Errors > 0 {
			text = append(text, fmt.Sprintf("%d errors", d.Errors))
		}
		if d.Refused > 0 {
			text = append(text, fmt.Sprintf("%d refused", d.Refused))
		}
		if d.Why != "" {
			text = append(text, d.Why)
		}
		line(w, d.Name, d.Slot, text...)
	}
}
