package vm

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// describe says in r how the run ended, and why.
func (m *Machine) describe(r *record.Record, end error) {
	r.Acceptance.BitmapSetAtReport = m.books.bitmapSet
	if m.books.err != nil {
		r.Acceptance.BitmapError = m.books.err.Error()
	}
	r.Guest = m.guestReport()
	if r.Outcome = m.outcome(end); r.Outcome == record.PowerOff {
		m.log.WentOn()
		r.Detected = m.log.Record().Detected
	}
	if idle := m.platform.idleVMSAs; idle != nil {
		r.Detected.IdleVMSAs = idle()
	}
	if exit := (*exitError)(nil); errors.As(end, &exit) {
		r.ExitCode = &exit.code
	}
	if r.Outcome != record.PowerOff && r.Outcome != record.Cancelled && r.Outcome != record.Exit {
		r.Diagnosis = m.diagnose(r, end)
	}
}

func (m *Machine) outcome(end error) record.Outcome {
	var (
		reset       *firmware.Reset
		returned    *firmware.Returned
		fault       *firmware.Fault
		gaveUp      confidential.Surrender
		unsupported *x86.UnsupportedError
		faultLoop   *x86.FaultLoopError
		limit       *limitError
		bound       *firmware.BoundError
		exit        *exitError
	)
	panicked := m.console.panic != "" // whatever a kernel does after that
	switch {
	case errors.Is(end, errCancelled):
		return record.Cancelled
	case errors.As(end, &limit), errors.As(end, &bound), errors.Is(end, x86.ErrTimeUp):
		return record.Limit
	case errors.As(end, &exit):
		return record.Exit
	case errors.As(end, &reset) && reset.Type == uefi.ResetShutdown && !reset.Status.IsError() && !panicked, errors.Is(end, errSleep) && !panicked:
		return m.poweredOff()
	case m.unvalidated() != nil:
		return record.Violation // the guest died of it, in whatever way
	case errors.As(end, &gaveUp), errors.As(end, &fault), panicked, errors.Is(end, errPanicked),
		errors.As(end, &reset) && reset.Type == uefi.ResetShutdown: // with an error for its reason
		return record.GuestPanic
	case errors.As(end, &reset), errors.Is(end, errReset):
		return record.Reset
	case errors.As(end, &returned), errors.Is(end, errHalted), errors.Is(end, firmware.ErrWaitsForever), errors.As(end, &faultLoop):
		return record.Halted
	case errors.As(end, &unsupported):
		return record.Unsupported
	case m.tripleFault(end):
		return record.TripleFault
	}
	return record.Violation
}

// poweredOff is the outcome of a guest that switched itself off. Where something that was to happen did not, the run has
// not shown what it was made for.
func (m *Machine) poweredOff() record.Outcome {
	switch {
	case m.unreported() != "":
		return record.NoReport
	case m.untested() != "":
		return record.Untested
	}
	return record.PowerOff
}

// untested says which attack or lie never happened that was to; it is empty where none is missing.
func (m *Machine) untested() string {
	if h := m.platform.cheat; h != nil && len(h.Report().Steps) == 0 {
		return fmt.Sprintf("the host attack %v never happened: there was no opportunity", h.Attack())
	}
	if l := m.lie(); l != nil && l.Told == 0 {
		return fmt.Sprintf("the firmware lie %s was never told: there was no opportunity", l.Kind)
	}
	return ""
}

func (m *Machine) tripleFault(end error) bool {
	var t *x86.TripleFaultError
	return errors.As(end, &t)
}

// diagnose explains an end.
func (m *Machine) diagnose(r *record.Record, end error) *record.Diagnosis {
	d := &record.Diagnosis{Summary: cmp.Or(m.console.panic, end.Error())}
	switch r.Outcome {
	case record.NoReport:
		d.Summary = m.unreported()
		return d
	case record.Untested:
		d.Summary = m.untested()
		return d
	}
	var (
		violation *confidential.Violation
		gaveUp    confidential.Surrender
	)
	switch v := m.unvalidated(); {
	case v != nil && (r.Outcome == record.Violation || m.console.panic != ""):
		excuse(r.Attack, v.GPA, &v.Why)
		if errors.As(end, &gaveUp) {
			d.Summary = gaveUp.Said()
		}
		d.Summary = v.Error() + "; the guest did not survive the #VC that followed: " + d.Summary
		m.blame(d, v.GPA, v.GVA, v.State)
	case errors.As(end, &violation):
		excuse(r.Attack, violation.GPA, &violation.Why)
		d.Summary = cmp.Or(m.console.panic, end.Error())
		m.blame(d, violation.GPA, violation.GVA, violation.State)
	}
	if d.Advice == "" {
		d.Advice = m.missing(end)
	}
	if d.Advice == "" && m.exited && m.platform.stranger != nil {
		d.Advice = m.platform.stranger(r)
	}
	accuse(d, r.Attack)
	accuseFirmware(d, r.Lie)
	m.locate(d, r.Outcome, end)
	return d
}

// missing says what an image wanted that is not here, as far as its end tells; it is empty where that is not known.
func (m *Machine) missing(end error) string {
	var (
		returned *firmware.Returned
		fault    *firmware.Fault
	)
	switch missed := m.boot.Missed(); {
	case errors.As(end, &returned) && len(missed) > 0:
		var names []string
		for _, protocol := range missed {
			names = append(names, uefi.ProtocolName(protocol))
		}
		return "What it asked firmware for in vain, the latest last: " + strings.Join(names, ", ") + ". There is no network and no display here."
	case errors.As(end, &fault) && fault.Protected && m.cfg.Platform == TDX:
		return "A TD cannot be taken out of long mode by writing EFER: that raises #VE. GRUB's command linux tries to, for the kernel's 32-bit entry. Have it start the " +
			"kernel's EFI stub: in GRUB 2.06 by linuxefi and initrdefi, or take GRUB 2.12."
	case errors.As(end, &fault) && (fault.Vector == x86.VectorVE || fault.Vector == x86.VectorVC):
		return "What it executed is the hypervisor's to do, and it has no handler for that. Firmware's does port I/O, MSRs, CPUID, HLT and their like, as OVMF's does, " +
			"and not this (docs/departures.md). It may run with --platform none."
	}
	return ""
}

// unvalidated returns the page that the guest touched too early, and did not survive the exception that it got for it;
// nil where there is none.
func (m *Machine) unvalidated() *confidential.Violation {
	if m.platform.unvalidated == nil {
		return nil
	}
	return m.platform.unvalidated()
}

// blame says which page was touched, in what state it is, and who should have accepted it.
func (m *Machine) blame(d *record.Diagnosis, gpa, gva uint64, state string) {
	g, v := record.Address(gpa), record.Address(gva)
	d.GPA, d.PageState = &g, state
	if gva != 0 {
		d.GVA = &v
	}
	for _, u := range m.boot.Leaves() {
		if gpa >= u.Start && gpa < u.End {
			d.Advice = "Firmware handed this page over as EfiUnacceptedMemory: the guest has to accept it (" + m.platform.how + ") before it touches it."
		}
	}
}
