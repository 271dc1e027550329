package vm

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// A boot is the way in: what puts the machine's processor in front of the guest's first instruction, and what serves the
// guest where it calls out of itself. It is firmware in Go, none of which runs inside, or an image of firmware that does
// (stock.go): that has no entry points, serves nothing, and answers for itself to none of the questions about what firmware did.
type boot interface {
	x86.Traps // where the guest calls
	grower

	Boot(c *x86.CPU) error             // ends in front of the first instruction; the processor is as the platform launches it
	Call(c *x86.CPU, gpa uint64) error // serves the call at an address for which Trap is true; an error is the end of the run
	Worked() uint64                    // for how many nanoseconds it has worked for the guest

	NextTick(now int64, halted bool) int64 // when its timer interrupts, in virtual nanoseconds
	Tick(c *x86.CPU) error                 // does so; an error is the end of the run

	// The mailbox of processors that wait to be started: whom the guest asks for, and letting one go.
	Mailbox(c *x86.CPU) (id uint32, ok bool, err error)
	Wake(c *x86.CPU) error

	Region(gpa uint64) accept.Range // of one type in the memory map; empty where there is none

	Image() accept.Range // where what was started is, guest-physical; empty where that is not known
	Exited() bool        // the guest has left boot services

	// What firmware did and was asked, for the record and for diagnoses.
	Caller(gpa uint64) (ret uint64, ok bool)
	Leaves() []accept.Range // handed over unaccepted
	Missed() []uefi.GUID    // protocols that were asked for in vain
	ConfigurationTable(id uefi.GUID) (address uint64, ok bool)
	Negotiation() firmware.Negotiation
	Path() record.Path
	Told() firmware.Told // of a lie

	Variables() firmware.Variables // what outlives the machine

	Carry(s *state.Stream)
}

// newBoot makes the way in.
func (m *Machine) newBoot() (boot, error) {
	if m.cfg.isStock() {
		return m.newStock()
	}
	return m.newFirmware()
}

// newFirmware makes the way in that is firmware in Go.
func (m *Machine) newFirmware() (boot, error) {
	policy, accepts := m.cfg.policy()
	cfg := firmware.Config{
		TotalMemory: m.cfg.Memory, ACPI: m.acpi(),
		Sockets: m.cfg.Topology.Sockets, Cores: m.cfg.Topology.Cores, Threads: m.cfg.Topology.Threads,
		Image: m.cfg.Image.Data, ImageName: m.cfg.Image.Name, LoadOptions: m.cfg.loadOptions(), Initrd: m.cfg.Initrd,
		Disks: m.firmwareDisks(), Variables: m.cfg.Kept.firmwareVariables(),
		Unaccepted: m.platform.accept != nil, FirmwareAccepts: accepts, Misalign: m.cfg.Misalign, Policy: policy,
		UnacceptedTable: m.cfg.UnacceptedTable, Lie: firmware.Lie(m.cfg.FirmwareLie),
		Accept: func(r accept.Range) error { return m.platform.accept(m.cpus[0], r) },
		Seed:   m.cfg.Seed, RTCStart: rtcStart,
		Mailbox:    m.cfg.Platform == TDX && m.cfg.CPUs > 1,
		PrivateBit: m.platform.privateBit, SharedBit: m.platform.sharedBit, Tables: m.platform.tables,
		Console: &m.console, Log: m.log, Keyboard: firmwaresKeyboard{m}, Screen: m.cfg.screen(), Bus: m.board,
	}
	if m.platform.share != nil {
		cfg.Share = func(processor int, gpa uint64) error { return m.platform.share(m.cpus[processor], gpa) }
	}
	if m.platform.convert != nil {
		cfg.Convert = func(r accept.Range, shared bool) error {
			to := physical.Private
			if shared {
				to = physical.Shared
			}
			return m.platform.convert(m.cpus[0], r, to)
		}
	}
	if m.cfg.CPUs > 1 {
		cfg.Processors = processors{m}
	}
	if m.platform.exception != nil {
		cfg.Exception = func(vector uint8, code, rip uint64) (uint64, bool) {
			return m.platform.exception(m.cpu(), vector, code, rip)
		}
	}
	return firmware.New(cfg)
}

// left marks the phase that begins where the guest has left boot services, and has the next one, the kernel's, begin
// where the processor leaves the image.
func (m *Machine) left() {
	if m.exited || !m.boot.Exited() {
		return
	}
	m.exited = true
	m.reached(record.ExitBootServices)
	image := m.boot.Image()
	m.cpu().Fence(image.Start, image.End)
}
