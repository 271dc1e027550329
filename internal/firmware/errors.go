package firmware

import (
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/uefi"
)

// A failure is the status with which a service fails, as an error.
type failure uefi.Status

func (f failure) Error() string { return statusName(uefi.Status(f)) }

// The failures that services of this package know (UEFI 2.10, appendix D).
const (
	loadError        = failure(uefi.LoadError)
	invalidParameter = failure(uefi.InvalidParameter)
	unsupported      = failure(uefi.Unsupported)
	badBufferSize    = failure(uefi.BadBufferSize)
	bufferTooSmall   = failure(uefi.BufferTooSmall)
	notReady         = failure(uefi.NotReady)
	deviceError      = failure(uefi.DeviceError)
	writeProtected   = failure(uefi.WriteProtected)
	outOfResources   = failure(uefi.OutOfResources)
	notFound         = failure(uefi.NotFound)
	accessDenied     = failure(uefi.AccessDenied)
	noMapping        = failure(uefi.NoMapping)
	alreadyStarted   = failure(uefi.AlreadyStarted)
)

func statusName(s uefi.Status) string { return "EFI_" + s.String() }

// What a service returns where it does not return to its caller, yet.
var (
	// errElsewhere: the service has moved execution itself.
	errElsewhere = errors.New("firmware: execution has moved")
	// errAgain: run the notifications that are due, if any, then call the service again with the same registers.
	errAgain = errors.New("firmware: service goes on")
	// errMore: call the service again with the same registers; it has done a piece of its work.
	errMore = errors.New("firmware: service has more to do")
	// errAsked: the guest executes a function, after which the service is called again.
	errAsked = errors.New("firmware: service asks")
)

// ErrWaitsForever is how a run ends in which an image waits for events and none of them can come.
var ErrWaitsForever = errors.New("the image waits for an event that cannot come: no timer is set, and nobody types")

// A BoundError is how a run ends in which the guest has met a bound that is firmware's own, not the specification's.
type BoundError struct{ What string }

func (e *BoundError) Error() string { return "a bound of firmware's: " + e.What }

// A Reset is how a run ends in which the guest called ResetSystem. It is an error only in form.
type Reset struct {
	Type   uint32      // uefi.ResetCold and so on; uefi.ResetShutdown is power-off
	Status uefi.Status // why, as the guest says
	Text   string      // what it adds to that, if anything
}

func (r *Reset) Error() string {
	what := [...]string{"cold reset", "warm reset", "power-off", "platform-specific reset"}
	s := fmt.Sprintf("reset of unknown type %d", r.Type)
	if r.Type < uint32(len(what)) {
		s = what[r.Type]
	}
	s = "ResetSystem: " + s
	if r.Status != uefi.Success {
		s += ", " + statusName(r.Status)
	}
	if r.Text != "" {
		s += fmt.Sprintf(", %q", r.Text)
	}
	return s
}

// A Returned is how a run ends in which the image returned to firmware, which has no other to start.
type Returned struct {
	Image  string
	Status uefi.Status
	Text   string // the exit data, if any
}

func (r *Returned) Error() string {
	s := fmt.Sprintf("%s returned to firmware with %s", r.Image, statusName(r.Status))
	if r.Text != "" {
		s += fmt.Sprintf(", %q", r.Text)
	}
	return s
}

// A Fault is how a run ends in which an exception was raised while firmware's interrupt descriptor table was in force.
type Fault struct {
	Vector  uint8
	Code    uint64 // the error code; 0 where the exception has none
	RIP     uint64 // guest-virtual
	Address uint64 // CR2, for a page fault
	Image   string // the loaded image that RIP is in, or ""

	// Protected says that the processor had left long mode: firmware's table of 64-bit code is of no use there.
	Protected bool
}

func (f *Fault) Error() string {
	where := "outside every loaded image"
	if f.Image != "" {
		where = "in " + f.Image
	}
	name := fmt.Sprintf("exception %d", f.Vector)
	if m := mnemonics[f.Vector]; m != "" {
		name += " (" + m + ")"
	}
	handler := "only firmware to handle it"
	if f.Protected {
		handler = "no handler: the processor has left long mode, and the interrupt table is firmware's, of 64-bit code"
	}
	s := fmt.Sprintf("%s, error code %#x, at %#x, %s, and %s", name, f.Code, f.RIP, where, handler)
	if f.Vector == vectorPF {
		s += fmt.Sprintf("; address %#x", f.Address)
	}
	return s
}

// mnemonics names exceptions (SDM volume 3, table 6-1; #VC and #SX: APM volume 2, table 8-1).
var mnemonics = [256]string{
	0: "#DE", 1: "#DB", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS", 11: "#NP", 12: "#SS", 13: "#GP", 14: "#PF",
	16: "#MF", 17: "#AC", 18: "#MC", 19: "#XM", 20: "#VE", 21: "#CP", 29: "#VC", 30: "#SX",
}
