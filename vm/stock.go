package vm

import (
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/internal/rom"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// Stock is the way in that is firmware in the guest: an image that begins at the processor's reset and finds everything out by
// itself, from a PC's devices and fw_cfg. It calls nothing out of the guest, so of most of what package firmware tells of itself
// nothing is known of it.
type stock struct {
	m     *Machine
	image *rom.Image
	flash *device.Flash // where it keeps variables; nil where it keeps none
}

var _ boot = (*stock)(nil)

// isStock says whether firmware runs in the guest.
func (c *Config) isStock() bool { return len(c.Firmware.Data) > 0 }

// checkStock says what is wrong with the firmware that is to run in the guest.
func (c *Config) checkStock() error {
	if !c.isStock() {
		return nil
	}
	if c.Firmware.Name == "" {
		return errors.New("firmware of one's own has no name")
	}
	if _, err := rom.Parse(c.Firmware.Data); err != nil {
		return fmt.Errorf("firmware %s: %w", record.Printable(c.Firmware.Name), err)
	}
	own := func(what string) error {
		return fmt.Errorf("%s: that is tacit's own firmware's, which another replaces", what)
	}
	switch {
	case c.Platform != None && c.topology().CPUs() > 1:
		return fmt.Errorf("firmware %s on platform %s with %d processors: it can be started with one alone yet: how firmware in a confidential guest has the others wait is not there",
			record.Printable(c.Firmware.Name), c.Platform, c.topology().CPUs())
	case c.FirmwareLie != "":
		return own("firmware lie " + c.FirmwareLie)
	case c.FirmwarePolicy != "" && c.FirmwarePolicy != FirmwarePolicies[0]:
		return own("firmware policy " + c.FirmwarePolicy)
	case c.UnacceptedTable:
		return own("a table of unaccepted memory")
	case c.Misalign:
		return own("memory that is handed over at odd boundaries")
	case c.Screen != Resolution{}:
		return own("a screen")
	case c.Kept != nil:
		return errKeepsNothing
	}
	return nil
}

// stockTimerHz is the frequency of the local APIC's timer that EDK2 takes for granted (OvmfPkg, PcdFSBClock), and KVM's.
const stockTimerHz = 1_000_000_000

var errKeepsNothing = errors.New("firmware of one's own keeps its variables in a flash chip, which is not kept for another machine")

// newStock makes the way in that is firmware in the guest.
func (m *Machine) newStock() (boot, error) {
	image, err := rom.Parse(m.cfg.Firmware.Data)
	if err != nil {
		return nil, err
	}
	description := m.acpi()
	script, err := description.Script()
	if err != nil {
		return nil, err
	}
	files := []device.File{
		{Name: "bootorder", Data: m.bootOrder()},
		{Name: acpi.TablesFile, Data: script.Tables}, {Name: e820File, Data: m.e820()}, {Name: acpi.CommandsFile, Data: script.Commands},
	}
	if err := m.board.Publish(files); err != nil {
		return nil, err
	}
	s := &stock{m: m, image: image}
	where, content := image.Variables()
	if where.Empty() || m.platform.launch != nil { // there it is the guest's own memory
		return s, nil
	}
	s.flash = device.NewFlash(content)
	return s, m.board.MapMemory(where.Start, where.Len(), s.flash)
}

// bootOrder has firmware try the disks, each by its path as Open Firmware writes it, and nothing else on the bus: on the network
// there is nobody (EDK2, OvmfPkg/Library/QemuBootOrderLib).
func (m *Machine) bootOrder() []byte {
	var b []byte
	for i := range m.disks {
		b = fmt.Appendf(b, "/pci@i0cf8/scsi@%x/disk@0,0\n", slotDisks+i)
	}
	return append(b, 0)
}

// rom says whether a page of guest-physical address space is firmware's code; nil where no firmware runs in the guest.
func (m *Machine) rom() func(gpa uint64) bool {
	if !m.cfg.isStock() {
		return nil
	}
	image, err := rom.Parse(m.cfg.Firmware.Data)
	if err != nil {
		return nil // the configuration has been checked
	}
	where, _ := image.Code()
	return func(gpa uint64) bool { return inside(where, gpa) }
}

func inside(r accept.Range, gpa uint64) bool { return gpa >= r.Start && gpa < r.End }

// Boot implements boot: the image is put where it lies, and the processors are reset.
func (s *stock) Boot(c *x86.CPU) error {
	if launch := s.m.platform.launch; launch != nil {
		if err := launch(c, s.image); err != nil {
			return fmt.Errorf("%s: %w", record.Printable(s.m.cfg.Firmware.Name), err)
		}
		return nil
	}
	where, content := s.image.Code()
	if err := s.m.memory.Write(physical.Private, where.Start, content); err != nil {
		return err
	}
	for _, c := range s.m.cpus {
		c.Reset()
	}
	return nil
}

// awaitUpperHalf has the kernel's phase begin where the first processor gets to the upper half of the address space. Firmware, boot
// loaders and EFI stubs run where memory is mapped as it lies, in the lower half, and kernels do not: what accepts memory until
// then counts as firmware, whoever of these it is.
func (m *Machine) awaitUpperHalf() { m.cpus[0].Fence(0, 1<<63) }

// toX2APIC puts the local APIC into the mode in which a confidential guest finds it here, and has to leave it.
func toX2APIC(c *x86.CPU) {
	const x2APIC = 1 << 10
	base, _ := c.MSR(x86.MSRAPICBase)
	c.SetMSR(x86.MSRAPICBase, base|x2APIC)
}

// Carry implements boot: the code is in the guest's memory.
func (s *stock) Carry(to *state.Stream) {
	if s.flash != nil {
		s.flash.Carry(to)
	}
}

// No call is one of this firmware's, and nothing is known of what it does.

func (*stock) Trap(uint64) bool                                 { return false }
func (*stock) Call(*x86.CPU, uint64) error                      { return nil }
func (*stock) OnGrowth(func(int64))                             {}
func (*stock) Worked() uint64                                   { return 0 }
func (*stock) NextTick(int64, bool) int64                       { return x86.Never }
func (*stock) Tick(*x86.CPU) error                              { return nil }
func (*stock) Mailbox(*x86.CPU) (id uint32, ok bool, err error) { return 0, false, nil }
func (*stock) Wake(*x86.CPU) error                              { return nil }
func (*stock) Region(uint64) accept.Range                       { return accept.Range{} }
func (*stock) Image() accept.Range                              { return accept.Range{} }
func (*stock) Exited() bool                                     { return false }
func (*stock) Caller(uint64) (ret uint64, ok bool)              { return 0, false }
func (*stock) Leaves() []accept.Range                           { return nil }
func (*stock) Missed() []uefi.GUID                              { return nil }
func (*stock) ConfigurationTable(uefi.GUID) (a uint64, ok bool) { return 0, false }
func (*stock) Negotiation() (n firmware.Negotiation)            { return n }
func (*stock) Path() (p record.Path)                            { return p }
func (*stock) Told() (t firmware.Told)                          { return t }
func (*stock) Variables() (v firmware.Variables)                { return v }
