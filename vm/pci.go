package vm

import (
	"cmp"
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/device/pci"
	"github.com/tacit-vm/tacit/internal/device/virtio"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// A machine with disks has a PCI bus, on which they are, with a source of randomness and a network card that hears nothing.
// One without has none: looking for it would cost a guest time.

// Slots of the bus. A disk's is the one that firmware's device paths name.
const (
	slotRNG   = 1
	slotDisks = 2 // and those after it
	slotNet   = pci.Slots - 1
)

// A pciDevice is what is in a slot.
type pciDevice struct {
	slot int
	name string // "virtio-blk"
	*virtio.Device
}

// hasPCI says whether the machine has a PCI bus: firmware in the guest knows the machine by what is on it.
func (m *Machine) hasPCI() bool { return len(m.cfg.Disks) > 0 || m.cfg.isStock() }

// plug puts the PCI bus with its devices on the board.
func (m *Machine) plug() (err error) {
	if !m.hasPCI() {
		return nil
	}
	net, newBus := slotNet, pci.NewBus
	if m.cfg.isStock() {
		net, newBus = pci.SlotLPC-1, pci.NewQ35
	}
	if m.pci, err = newBus(m.board); err != nil {
		return err
	}
	w := virtio.Wiring{
		Memory: dma{m}, Clock: m, APICs: m,
		Timing: virtio.Timing{Request: m.cfg.Cost.Charge(0, cost.DeviceRequest, 1), KiB: m.cfg.Cost.Charge(0, cost.DeviceKiB, 1)},
	}
	if m.platform.cheat != nil {
		w.Liar = liar{m}
	}
	m.plugged = []pciDevice{{slotRNG, "virtio-rng", virtio.NewRNG(w, m.cfg.Seed)}}
	for i, d := range m.disks {
		m.plugged = append(m.plugged, pciDevice{slotDisks + i, "virtio-blk", virtio.NewDisk(w, d, fmt.Sprintf("disk%d", i), false)})
	}
	mac := [6]byte{0x02, 't', 'a', 'c', 'i', 't'} // administered locally: no vendor's
	m.plugged = append(m.plugged, pciDevice{net, "virtio-net", virtio.NewNet(w, mac)})
	for _, d := range m.plugged {
		if err := m.pci.Add(d.slot, d.Function()); err != nil {
			return err
		}
		m.board.AddTimer(d)
	}
	return nil
}

// A liar is the host that cheats, where it is asked what its devices are to say.
type liar struct{ m *Machine }

// Used implements [virtio.Liar].
func (l liar) Used(r virtio.Ring, u virtio.Used) virtio.Used {
	return l.m.platform.cheat.Completes(l.m.cpu(), r, u)
}

// Speaks implements [virtio.Liar], and Packet does.
func (l liar) Speaks() bool   { return l.m.platform.cheat.Speaks() }
func (l liar) Packet() []byte { return l.m.platform.cheat.Packet(l.m.cpu()) }

// pciParts are the parts of the machine on the bus.
func (m *Machine) pciParts() []part {
	if m.pci == nil {
		return nil
	}
	parts := []part{{"pci", pci.StateVersion, m.pci.Carry}}
	for _, d := range m.plugged {
		parts = append(parts, part{"virtio", virtio.StateVersion, d.Carry})
	}
	return parts
}

// pciACPI describes the bus to the operating system; nil where there is none.
func (m *Machine) pciACPI() *acpi.PCI {
	if !m.hasPCI() {
		return nil
	}
	p := &acpi.PCI{ECAM: pci.ECAMBase, ECAMSize: pci.ECAMSize, Window: pci.WindowBase, WindowSize: pci.WindowSize}
	if m.cfg.isStock() {
		p.Window, p.WindowSize = pci.Q35WindowBase, pci.Q35WindowSize
	}
	return p
}

// devices is what has gone through the devices on the bus, for the record.
func (m *Machine) devices() []record.Device {
	var all []record.Device
	for _, d := range m.plugged {
		t := d.Traffic()
		all = append(all, record.Device{
			Slot: fmt.Sprintf("00:%02x.0", d.slot), Name: d.name, Requests: t.Requests, ReadBytes: t.Read, WrittenBytes: t.Written,
			Flushes: t.Flushes, Errors: t.Errors, Refused: t.Refused, Why: cmp.Or(t.FirstRefusal, t.FirstError),
		})
	}
	return all
}

// dma is the guest's memory as its devices reach it: where the platform lets them.
type dma struct{ m *Machine }

// Read implements [virtio.Memory].
func (d dma) Read(gpa uint64, b []byte) error { return d.each(gpa, b, false, d.m.memory.Read) }

// Write implements [virtio.Memory].
func (d dma) Write(gpa uint64, b []byte) error { return d.each(gpa, b, true, d.m.memory.Write) }

func (d dma) each(gpa uint64, b []byte, write bool, do func(p physical.Plane, gpa uint64, b []byte) error) error {
	for len(b) > 0 {
		offset := gpa % mem.PageSize
		n := min(uint64(len(b)), mem.PageSize-offset)
		to, err := d.m.platform.ResolveDevice(gpa, write)
		if err != nil {
			return err
		}
		if err := do(to.Frame.Plane(), to.Frame.GPA()+offset, b[:n]); err != nil {
			return err
		}
		gpa, b = gpa+n, b[n:]
	}
	return nil
}
