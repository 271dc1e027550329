package record

import "strings"

// Outcome is how a run ended.
type Outcome string

const (
	// PowerOff: the guest switched itself off, and nothing that was to happen is missing. The only good end.
	PowerOff Outcome = "poweroff"
	// Violation: the guest did what the architecture does not survive, such as touching memory that it has not
	// accepted.
	Violation Outcome = "violation"
	// GuestPanic: the guest gave up and said so: a kernel panic, or TDVMCALL ReportFatalError.
	GuestPanic Outcome = "guest-panic"
	// Halted: no CPU gets on any more. Every one waits and nothing can wake it, or takes exceptions without end.
	Halted Outcome = "halted"
	// Limit: a limit was reached: on instructions, on virtual time, on wall time, on what a run takes of the host's
	// memory, or a bound of firmware's own.
	Limit Outcome = "limit"
	// Reset: the guest asked for a restart, which ends a run.
	Reset Outcome = "reset"
	// Exit: a test program wrote a code to the device that is there for that.
	Exit Outcome = "exit"
	// TripleFault: an exception during the delivery of a double fault.
	TripleFault Outcome = "triple-fault"
	// Unsupported: the guest needed something of the machine that is announced or expected, and not implemented.
	Unsupported Outcome = "unsupported"
	// NoReport: the guest switched itself off, but it was to report, and did not, or could not do what it was to do first.
	NoReport Outcome = "no-report"
	// Untested: the guest switched itself off, but the attack or the lie that it was to meet never happened.
	Untested Outcome = "untested"
	// Cancelled: the caller stopped the run.
	Cancelled Outcome = "cancelled"
	// Stopped: the run stands at the event until which it was to go on, and has not ended.
	Stopped Outcome = "stopped"
)

// Outcomes lists every outcome with what it means, in the order in which documents show them.
func Outcomes() []struct {
	Outcome Outcome
	Meaning string
} {
	return outcomes
}

var outcomes = []struct {
	Outcome Outcome
	Meaning string
}{
	{PowerOff, "the guest switched itself off"},
	{Violation, "the guest did what the architecture forbids, such as touching memory it has not accepted"},
	{GuestPanic, "the guest gave up: a kernel panic, also one that spins for ever, or a reported fatal error"},
	{Halted, "no CPU gets on: all wait and nothing can wake them, or take exceptions without end"},
	{Limit, "a limit on instructions, time or the host's memory was reached, or a bound of firmware's own"},
	{Reset, "the guest asked for a restart"},
	{Exit, "the guest wrote a code to the port of --debug-exit; the exit status is QEMU's: twice the code, plus 1"},
	{TripleFault, "an exception while delivering a double fault"},
	{NoReport, "the guest switched itself off, but tacit's init did not report, or not all that it was to"},
	{Untested, "the guest switched itself off, but the attack or lie that it was to meet never happened"},
	{Unsupported, "the guest needed what this machine does not implement"},
	{Cancelled, "the run was cancelled"},
	{Stopped, "the run was to go on until an event, which came; it can be resumed"},
}

// Diagnosis explains an outcome other than PowerOff. What does not apply is absent.
type Diagnosis struct {
	Summary     string       `json:"summary"`               // one sentence: what happened
	GPA         *Address     `json:"gpa,omitempty"`         // guest-physical address touched, without shared bit or C-bit
	GVA         *Address     `json:"gva,omitempty"`         // guest-virtual address touched
	PageState   string       `json:"page_state,omitempty"`  // state of the page at GPA, in the platform's terms
	RIP         *Address     `json:"rip,omitempty"`         // of the instruction that did it
	Symbol      string       `json:"symbol,omitempty"`      // guest function and offset at RIP
	Instruction *Instruction `json:"instruction,omitempty"` // what is at RIP
	Advice      string       `json:"advice,omitempty"`      // one sentence: what to do about it
}

// Place is the address that was touched, for people: guest-physical, guest-virtual or both; empty where there is none.
func (d *Diagnosis) Place() string {
	var text []string
	if d.GPA != nil {
		text = append(text, "guest-physical "+d.GPA.String())
	}
	if d.GVA != nil {
		text = append(text, "guest-virtual "+d.GVA.String())
	}
	return strings.Join(text, ", ")
}

// At is where the instruction is, with its function where that is known; empty where there is none.
func (d *Diagnosis) At() string {
	switch {
	case d.RIP == nil:
		return ""
	case d.Symbol == "":
		return d.RIP.String()
	}
	return d.RIP.String() + " in " + d.Symbol
}

// Instruction is a guest instruction.
type Instruction struct {
	Bytes string `json:"bytes"`          // hexadecimal, "0f01f9"
	Text  string `json:"text,omitempty"` // disassembled
}
