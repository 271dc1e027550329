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
		if err := f.acceptLate(); err != nil {
			return err
		}
		f.signalGroup(uefi.EventGroupBeforeExitBootServicesGUID)
		return errAgain
	}
	if f.exiting == exitAnnounced {
		f.negotiation.ExitAttempts++
		if a[1] != f.memory.key {
			return invalidParameter
		}
		f.exiting = exitAgreed
		f.signalGroup(uefi.EventGroupExitBootServicesGUID)
		return errAgain
	}
	return f.leaveBootServices()
}

// acceptLate accepts all that is left where the operating system has not said that it will do so itself. The map
// changes, so that the key which the operating system has is wrong: it must look again, and finds all its memory.
//
// It is what EDK2 does for SEV-SNP, from a handler of the same event group (OvmfPkg/AmdSevDxe/AmdSevDxe.c).
func (f *Firmware) acceptLate() error {
	if f.cfg.Policy != Negotiate || len(f.negotiation.AllowedBy) > 0 {
		return nil
	}
	for _, g := range slices.Clone(f.memory.regions) {
		if g.kind != uefi.UnacceptedMemory {
			continue
		}
		r := accept.Range{Start: g.start, End: g.end}
		if err := f.cfg.Accept(r); err != nil {
			return err
		}
		if !f.memory.set(r, uefi.ConventionalMemory) {
			return outOfResources
		}
		f.negotiation.AcceptedLate += r.Len()
	}
	return nil
}

// leaveBootServices makes good on the contract: nothing but runtime services is left, and no interrupt comes.
func (f *Firmware) leaveBootServices() error {
	f.exited = true
	f.setTPL(uefi.TPLApplication)
	f.cpu.SetFlags(f.cpu.Flags() &^ flagIF)
	f.queue = nil
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
	note(&f.negotiation.AllowedBy, f.caller())
	return nil
}
