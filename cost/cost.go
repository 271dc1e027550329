// Package cost says what an event costs in virtual time.
//
// Virtual time is the machine's only clock: nanoseconds = instructions × Instruction + Σ events × their cost, all in
// integers, so that a run takes the same time on every host; time in which the processor waits (HLT) passes in addition.
// What an event costs comes from a named Model, how often it happened is in a Tally, and every
// number in a model carries where it came from: "published: …" for a measurement that others can look up, "derived: …"
// for arithmetic on such measurements, "estimate: …" for our own judgement where no measurement was found, and in models
// of files "measured: …" for what somebody has measured.
//
// A model's numbers never change under its name: better numbers are a new model with a new name. A figure obtained
// with one model must not be compared with a figure obtained with another.
package cost

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Event is something that takes virtual time. Events are charged in addition to the instructions that the guest
// executes around them: a handler's own instructions are charged as instructions.
type Event uint8

// The events. Those of an architecture cost nothing in the models of the others.
const (
	// Instruction is one guest instruction, whatever it does.
	Instruction Event = iota
	// Exit is a round trip from the guest to the host's kernel and back, without what the host does there:
	// TDX: TD exit and TDH.VP.ENTER. SEV-SNP: VMGEXIT and VMRUN. Neither: VM exit and VM entry.
	Exit
	// HostAdd4K is the host giving the guest a private 4 KiB page: handling the fault, allocating and clearing
	// the page, mapping it (TDX: TDH.MEM.PAGE.AUG; SEV-SNP: without RMPUPDATE). The exit is charged apart.
	HostAdd4K
	// HostAdd2M is HostAdd4K for a 2 MiB page.
	HostAdd2M

	// ServiceMiB is firmware's work on each MiB that its services touch, beyond the first GiB of a run: before that their
	// time is that of the calls, Exit.
	ServiceMiB

	// ModuleCall is a TDCALL that the TDX module answers without leaving to the host (TDG.VP.INFO, TDG.VP.VEINFO.GET,
	// TDG.VM.RD), or a CPUID leaf that the module virtualises.
	ModuleCall
	// TDXAccept4K is a successful TDG.MEM.PAGE.ACCEPT of 4 KiB, including the call into the module.
	TDXAccept4K
	// TDXAccept2M is a successful TDG.MEM.PAGE.ACCEPT of 2 MiB, including the call into the module.
	TDXAccept2M
	// VE is the module's interception of an instruction or access and its injection of #VE.
	VE
	// MapGPA is the host's fixed work on one TDG.VP.VMCALL<MapGPA>, in addition to Exit.
	MapGPA
	// MapGPA4K is the host's work on each 4 KiB page that MapGPA converts.
	MapGPA4K
	// MapGPA2M is the host's work on each 2 MiB page that MapGPA converts whole.
	MapGPA2M

	// VC is the delivery of #VC to the guest.
	VC
	// PValidate4K is one PVALIDATE of a 4 KiB page.
	PValidate4K
	// PValidate2M is one PVALIDATE of a 2 MiB page whose RMP entry is 2 MiB.
	PValidate2M
	// PageStateChange is the host's fixed work on one page state change request, in addition to Exit.
	PageStateChange
	// PageStateChange4K is the host's work on each 4 KiB entry of a request, without RMPUPDATE.
	PageStateChange4K
	// PageStateChange2M is the host's work on each 2 MiB entry of a request, without RMPUPDATE.
	PageStateChange2M
	// RMPUpdate is one RMPUPDATE by the host, of either page size.
	RMPUpdate

	// DeviceRequest is how long a device takes for a request of its driver, whatever it is. It and DeviceKiB are charged to
	// no processor: they are how much later the device's interrupt comes.
	DeviceRequest
	// DeviceKiB is how much longer it takes for each KiB of data.
	DeviceKiB

	events
)

var eventNames = [events]string{
	Instruction:       "instruction",
	Exit:              "exit",
	HostAdd4K:         "host-add-4k",
	HostAdd2M:         "host-add-2m",
	ServiceMiB:        "service-mib",
	ModuleCall:        "module-call",
	TDXAccept4K:       "accept-4k",
	TDXAccept2M:       "accept-2m",
	VE:                "ve",
	MapGPA:            "mapgpa",
	MapGPA4K:          "mapgpa-4k",
	MapGPA2M:          "mapgpa-2m",
	VC:                "vc",
	PValidate4K:       "pvalidate-4k",
	PValidate2M:       "pvalidate-2m",
	PageStateChange:   "psc",
	PageStateChange4K: "psc-4k",
	PageStateChange2M: "psc-2m",
	RMPUpdate:         "rmpupdate",
	DeviceRequest:     "device-request",
	DeviceKiB:         "device-kib",
}

// Events lists all of them in the order in which this package declares them.
func Events() []Event {
	all := make([]Event, events)
	for e := range all {
		all[e] = Event(e)
	}
	return all
}

// EventNamed is the event that String calls so.
func EventNamed(name string) (e Event, ok bool) {
	i := slices.Index(eventNames[:], name)
	return Event(max(i, 0)), i >= 0
}

// String returns the event's name as tables and documents write it.
func (e Event) String() string {
	if e < events {
		return eventNames[e]
	}
	return fmt.Sprintf("event(%d)", uint8(e))
}

// A Row is one line of a model: an event, what one of it costs, and where that number came from.
type Row struct {
	Event  Event
	NS     int64 // virtual nanoseconds, never negative
	Source string
}

// Uncertain says whether the number is nothing but our own judgement.
func (r Row) Uncertain() bool { return strings.HasPrefix(r.Source, "estimate:") }

// Model is a named set of costs. It is a value and never changes; the zero Model has no name and charges nothing.
type Model struct {
	name     string
	platform string
	rows     *[events]Row
	holds    *[]Hold // in the place of the platform's; nil is none
}

// Name identifies the model in records.
func (m Model) Name() string { return m.name }

// Platform is whose events the model has costs for, in the words of records: "tdx", "snp" or "none".
func (m Model) Platform() string { return m.platform }

// NS is what one event costs, in virtual nanoseconds.
func (m Model) NS(e Event) int64 {
	if m.rows == nil || e >= events {
		return 0
	}
	return m.rows[e].NS
}

// Row is what the model says about an event; its source is empty where the event never happens on the model's platform.
func (m Model) Row(e Event) Row {
	if m.rows == nil || e >= events {
		return Row{Event: e}
	}
	row := m.rows[e]
	row.Event = e
	return row
}

// Charge returns the time after n events that began at now. Time never runs over: it stops at math.MaxInt64, which is
// 292 years.
func (m Model) Charge(now int64, e Event, n uint64) int64 {
	high, ns := bits.Mul64(n, uint64(m.NS(e)))
	if high != 0 || ns > math.MaxInt64 || now > math.MaxInt64-int64(ns) {
		return math.MaxInt64
	}
	return now + int64(ns)
}

// Table lists the model's rows, one for each event that can happen on its platform, in the order in which this package declares them.
func (m Model) Table() []Row {
	var table []Row
	if m.rows == nil {
		return nil
	}
	for e := range events {
		if row := m.Row(e); row.Source != "" {
			table = append(table, row)
		}
	}
	return table
}

// Named returns the model of that name; the error names those that exist.
func Named(name string) (Model, error) {
	var names []string
	for _, m := range Models() {
		if m.name == name {
			return m, nil
		}
		names = append(names, m.name)
	}
	return Model{}, fmt.Errorf("no cost model %q: there are %s", name, strings.Join(names, ", "))
}
