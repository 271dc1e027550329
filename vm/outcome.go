package vm

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/firmware"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp"
	"github.com/tacit-vm/tacit/tdx"
	"github.com/tacit-vm/tacit/uefi"
	"github.com/tacit-vm/tacit/x86"
)

// Ends that nobody else has a word for.
var (
	errCancelled = errors.New("cancelled")
	errHalted    = errors.New("every processor waits for an interrupt and none can come")
)

// A limitError ends a run that has used up what it may.
type limitError struct{ what string }

func (e *limitError) Error() string { return "the limit of " + e.what + " was reached" }

// describe says in r how the run ended, and why.
func (m *Machine) describe(r *record.Record, end error) {
	r.Acceptance.BitmapSetAtReport = m.books.bitmapSet
	if m.books.err != nil {
		r.Acceptance.BitmapError = m.books.err.Error()
	}
	r.Guest = m.guestReport()
	r.Outcome = m.outcome(end)
	if r.Outcome != record.PowerOff && r.Outcome != record.Cancelled {
		r.Diagnosis = m.diagnose(r, end)
	}
}

func (m *Machine) outcome(end error) record.Outcome {
	var (
		reset       *firmware.Reset
		returned    *firmware.Returned
		fault       *firmware.Fault
		fatal       *tdx.FatalError
		terminated  *snp.Termination
		unsupported *x86.UnsupportedError
		faultLoop   *x86.FaultLoopError
		limit       *limitError
	)
	panicked := m.console.panic != "" // whatever a kernel does after that
	switch {
	case errors.Is(end, errCancelled):
		return record.Cancelled
	case errors.As(end, &limit), errors.Is(end, x86.ErrTimeUp):
		return record.Limit
	case errors.As(end, &reset) && reset.Type == uefi.ResetShutdown && !reset.Status.IsError() && !panicked, errors.Is(end, errSleep) && !panicked:
		return record.PowerOff
	case m.unvalidated() != nil:
		return record.Violation // the guest died of it, in whatever way
	case errors.As(end, &fatal), errors.As(end, &terminated), errors.As(end, &fault), panicked,
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

func (m *Machine) tripleFault(end error) bool {
	var t *x86.TripleFaultError
	return errors.As(end, &t)
}

// diagnose explains an end.
func (m *Machine) diagnose(r *record.Record, end error) *record.Diagnosis {
	d := &record.Diagnosis{Summary: end.Error()}
	if m.console.panic != "" {
		d.Summary = m.console.panic
	}
	var (
		onTDX *tdx.Violation
		onSNP *snp.Violation
	)
	if v := m.unvalidated(); v != nil {
		d.Summary = v.Error() + "; the guest did not survive the #VC that followed: " + d.Summary
		m.blame(d, v.GPA, v.GVA, v.State)
	} else if errors.As(end, &onSNP) {
		m.blame(d, onSNP.GPA, onSNP.GVA, onSNP.State)
	}
	if errors.As(end, &onTDX) {
		m.blame(d, onTDX.GPA, onTDX.GVA, onTDX.State)
	}
	if d.Advice == "" {
		d.Advice = m.missing(end)
	}
	if d.Advice == "" && m.cfg.Platform == TDX && m.exited && !calledModule(r) {
		d.Advice = fmt.Sprintf("%s is not a TDX guest: it never asked the TDX module for anything. A Linux kernel needs CONFIG_INTEL_TDX_GUEST.", r.Image.Kernel)
	}
	accuse(d, r.Attack)
	accuseFirmware(d, r.Lie)
	m.locate(d, end)
	return d
}

// missing says what an image wanted that is not here, as far as its end tells; it is empty where that is not known.
func (m *Machine) missing(end error) string {
	var (
		returned *firmware.Returned
		fault    *firmware.Fault
	)
	switch missed := m.firmware.Missed(); {
	case errors.As(end, &returned) && len(missed) > 0:
		var names []string
		for _, protocol := range missed {
			names = append(names, uefi.ProtocolName(protocol))
		}
		return "What it asked firmware for in vain, the latest last: " + strings.Join(names, ", ") + ". There are no disks, no network and no display here."
	case errors.As(end, &fault) && (fault.Vector == x86.VectorVE || fault.Vector == x86.VectorVC):
		return "What it executed is the hypervisor's to do, and it has no handler for that. OVMF's firmware has one for such images; here firmware does CPUID in " +
			"an SEV-SNP guest, and nothing else (docs/departures.md). It may run with --platform none."
	}
	return ""
}

// calledModule says whether the guest knows that it is a TD: every TDX guest asks how wide its addresses are first.
// Firmware here does not need to.
func calledModule(r *record.Record) bool { return len(r.Calls[record.TDCALL.String()]["VP.INFO"]) > 0 }

// unvalidated returns the page that an SEV-SNP guest touched without having validated it, and whose #VC it did not
// survive; nil where there is none.
func (m *Machine) unvalidated() *snp.Violation {
	if g, ok := m.platform.Platform.(*snp.Platform); ok {
		return g.Unvalidated(m.cpus[0])
	}
	return nil
}

// blame says which page was touched, in what state it is, and who should have accepted it.
func (m *Machine) blame(d *record.Diagnosis, gpa, gva uint64, state string) {
	g, v := record.Address(gpa), record.Address(gva)
	d.GPA, d.PageState = &g, state
	if gva != 0 {
		d.GVA = &v
	}
	how := map[string]string{TDX: "TDG.MEM.PAGE.ACCEPT", SNP: "a page state change, then PVALIDATE"}[m.cfg.Platform]
	for _, u := range m.firmware.Leaves() {
		if gpa >= u.Start && gpa < u.End {
			d.Advice = "Firmware handed this page over as EfiUnacceptedMemory: the guest has to accept it (" + how + ") before it touches it."
		}
	}
}

// locate says at which instruction the guest ended, and in which function: where the processor stands, or where it
// stood before an exception took it to firmware, or to a handler of the guest's that could only give up. A guest that
// asked firmware for its end stands in firmware, which has no code to show.
func (m *Machine) locate(d *record.Diagnosis, end error) {
	var reset *firmware.Reset
	if errors.As(end, &reset) {
		return
	}
	c := m.cpus[0]
	rip := c.RIP()
	var fault *firmware.Fault
	if errors.As(end, &fault) {
		rip = fault.RIP
	}
	if v := m.unvalidated(); v != nil {
		rip = v.RIP
	}
	at := record.Address(rip)
	d.RIP = &at
	d.Symbol = m.symbol(rip)
	if b := instructionAt(c, rip); len(b) > 0 {
		d.Instruction = disassemble(b)
	}
}
