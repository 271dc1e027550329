package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// An exitStage is how far ExitBootServices has come. It is called again for each: between them notification functions
// run in the guest.
type exitStage uint8

const (
	exitNotAsked  exitStage = iota
	exitAnnounced           // EFI_EVENT_GROUP_BEFORE_EXIT_BOOT_SERVICES has been signalled, which happens once
	exitAgreed              // the key was right, and EFI_EVENT_GROUP_EXIT_BOOT_SERVICES has been signalled
)

// exitBootServices(ImageHandle, MapKey)
func (f *Firmware) exitBootServices(a args) error {
	if f.exiting == exitNotAsked {
		f.exiting = exitAnnounced
		if _, err := f.negotiation.AcceptRest(late{f}, accept.DriverFunc(f.cfg.Accept)); err != nil {
			return err
		}
		f.signalGroup(uefi.EventGroupBeforeExitBootServicesGUID)
		return errAgain
	}
	if f.exiting == exitAnnounced {
		f.negotiation.ExitAttempts++
		if f.cfg.Lie == LieKey {
			f.tell(Told{Times: 1})
			return invalidParameter
		}
		if a[1] != f.memory.key {
			return invalidParameter
		}
		f.exiting = exitAgreed
		f.leftBy()
		f.signalGroup(uefi.EventGroupExitBootServicesGUID)
		return errAgain
	}
	return f.leaveBootServices()
}

// late is the memory map as the negotiation sees it, at the moment at which no one has said that it accepts the rest.
type late struct{ *Firmware }

// NextUnaccepted implements negotiate.Books.
func (f late) NextUnaccepted(from uint64) accept.Range {
	for _, g := range f.memory.regions[f.memory.at(from):] {
		if g.kind == uefi.UnacceptedMemory {
			return accept.Range{Start: g.start, End: g.end}
		}
	}
	return accept.Range{}
}

// Accepted implements negotiate.Books.
func (f late) Accepted(r accept.Range) error {
	if !f.memory.set(r, uefi.ConventionalMemory) {
		return outOfResources
	}
	return f.clearUnaccepted(r)
}

// leaveBootServices makes good on the contract: nothing but runtime services is left, and no interrupt comes.
func (f *Firmware) leaveBootServices() error {
	f.exited = true
	f.stopJobs()
	if err := f.endDMA(); err != nil {
		return err
	}
	f.setTPL(uefi.TPLApplication)
	f.cpu.SetFlags(f.cpu.Flags() &^ flagIF)
	f.queue, f.watchdog = nil, 0
	f.events = slices.DeleteFunc(f.events, func(e event) bool { return !e.has(uefi.EventRuntime) })
	for i := range f.events {
		f.events[i].armed = false
	}
	// UEFI 2.10, section 7.4.6: what no longer works must not be found.
	return f.change(f.systemTable, uefi.SystemTableSize, func(st []byte) {
		for _, field := range []int{
			uefi.SystemTableConsoleInHandle, uefi.SystemTableConIn,
			uefi.SystemTableConsoleOutHandle, uefi.SystemTableConOut,
			uefi.SystemTableStandardErrorHandle, uefi.SystemTableStdErr,
			uefi.SystemTableBootServices,
		} {
			put64(st[field:], 0)
		}
	})
}

// allowUnacceptedMemory(*This)
func (f *Firmware) allowUnacceptedMemory(args) error {
	f.negotiation.Allow(f.caller())
	return nil
}
