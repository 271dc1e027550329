// Package record says what happened in a run: a stream of events that the machine emits into a Log, the Record that
// comes of it, and the Record's views.
//
// A Record is deterministic but for its Host part: two runs of one configuration give the same bytes without it.
// docs/record.md describes its JSON form.
package record

import (
	"cmp"
	"io"
	"math"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/internal/schema"
)

// Schema names the version of the JSON form. New keys may appear under one version; what a key means does not change.
const Schema = "tacit.record/1"

// Record is the account of one run. Amounts of memory are in bytes, times in nanoseconds. A pointer is nil (null in
// JSON) where the moment of which it speaks was not reached.
type Record struct {
	Schema      string `json:"schema"`
	Image       Image  `json:"image"`
	Disks       []Disk `json:"disks"`        // of the machine; null without any
	Platform    string `json:"platform"`     // "tdx", "snp", "none"
	MemoryBytes uint64 `json:"memory_bytes"` // what the guest was given
	Config      Config `json:"config"`

	Attack *Attack `json:"attack"` // null: the host was honest
	Lie    *Lie    `json:"lie"`    // null: firmware was honest

	Detected Detected `json:"detected"` // what lets a host deceive this guest

	Outcome   Outcome    `json:"outcome"`
	ExitCode  *uint32    `json:"exit_code"` // what the guest wrote to the port of its debug exit; nil where it did not end so
	Diagnosis *Diagnosis `json:"diagnosis"`

	Acceptance  Acceptance         `json:"acceptance"`
	Negotiation Negotiation        `json:"negotiation"`
	Path        Path               `json:"path"`        // from firmware to the kernel
	Added       map[string]Count   `json:"added"`       // private pages that the host added while the guest ran, by page size
	Conversions map[string]Count   `json:"conversions"` // by plane to which memory was converted
	Calls       map[string]Callees `json:"calls"`       // by interface
	Phases      []PhaseReached     `json:"phases"`      // in the order of time

	Devices []Device `json:"devices,omitempty"` // on the PCI bus, by slot; absent where there is none

	Guest Guest `json:"guest"`

	VirtualNS    VirtualNS `json:"virtual_ns"`
	Instructions uint64    `json:"instructions"`
	CostModel    string    `json:"cost_model"`
	Costs        Costs     `json:"costs"`

	Host Host `json:"host"`
}

// Image is what was booted.
type Image struct {
	Kernel string `json:"kernel"` // version as the kernel says it, "6.12.107+deb13-cloud-amd64"
	SHA256 string `json:"sha256"` // of the EFI application that was started, in hexadecimal
}

// Disk is a disk of the machine.
type Disk struct {
	Name         string `json:"name"`
	Format       string `json:"format"`        // of its file: "qcow2 disk image"
	Bytes        uint64 `json:"bytes"`         // of the disk
	SHA256       string `json:"sha256"`        // of the file, or of all the files, as image.Checksum has it, in hexadecimal
	ChangedBytes uint64 `json:"changed_bytes"` // that the guest has changed, in units of 4 KiB; the file has none of them
}

// Config is what the run depended on, besides image, platform and memory.
type Config struct {
	CPUs                 int    `json:"cpus"`     // processors
	Topology             string `json:"topology"` // what they are parts of, "sockets=1,cores=8,threads=1,nodes=1"
	Schedule             string `json:"schedule"` // "round-robin", "random", "adversarial"
	ScheduleSeed         uint64 `json:"schedule_seed"`
	CommandLine          string `json:"command_line"`
	InitrdSHA256         string `json:"initrd_sha256"`   // in hexadecimal; empty without one
	InputSHA256          string `json:"input_sha256"`    // of the input log, in hexadecimal; empty where nothing was typed
	Firmware             string `json:"firmware"`        // the name of firmware that ran in the guest; empty where it was tacit's own
	FirmwareSHA256       string `json:"firmware_sha256"` // its checksum, in hexadecimal
	FirmwareAcceptsBytes uint64 `json:"firmware_accepts_bytes"`
	FirmwarePolicy       string `json:"firmware_policy"` // "negotiate", "lazy", "eager", "upstream"
	Misalign             bool   `json:"misalign"`
	HostPageBytes        uint64 `json:"host_page_bytes"`
	TouchBytes           uint64 `json:"touch_bytes"`
	Seed                 uint64 `json:"seed"`
	MaxInstructions      uint64 `json:"max_instructions"` // 0: none
	MaxVirtualNS         int64  `json:"max_virtual_ns"`   // 0: none
	HostAttack           string `json:"host_attack"`      // "drop:1", "lie:2"; empty: the host is honest
	FirmwareLie          string `json:"firmware_lie"`     // "overlap", "wrap"; empty: firmware is honest
	UnacceptedTable      bool   `json:"unaccepted_table"` // firmware installed a table of unaccepted memory, as kexec leaves one
	DebugExitPort        uint16 `json:"debug_exit_port"`  // 0: none
	LA57                 bool   `json:"la57"`             // the host allows page tables of five levels
	HPET                 bool   `json:"hpet"`             // there are high precision event timers
	Screen               string `json:"screen"`           // "1024x768"; empty where there is none
	OverlaySHA256        string `json:"overlay_sha256"`   // of what an earlier machine had left on disks and in EFI variables, in hexadecimal; empty where there was nothing
	Restarts             uint32 `json:"restarts"`         // how often the guest had restarted before: this is the record of what came after
}

// Acceptance is who accepted how much, and what was left.
type Acceptance struct {
	By AcceptanceBy `json:"by"`

	UnacceptedAtInit   *uint64 `json:"unaccepted_at_init_bytes"`   // at the first instruction at privilege level 3
	UnacceptedAtReport *uint64 `json:"unaccepted_at_report_bytes"` // when the guest's init read /proc/meminfo
	UnacceptedAtEnd    *uint64 `json:"unaccepted_at_end_bytes"`    // when the machine stopped

	// BitmapSetAtReport is what the guest's own books say when its init reads /proc/meminfo: the set bits of the bitmap
	// in its memory × the unit that a bit stands for. The machine's books must agree: UnacceptedAtReport.
	BitmapSetAtReport *uint64 `json:"bitmap_set_at_report_bytes"`
	BitmapError       string  `json:"bitmap_error,omitempty"` // why the guest's bitmap could not be read

	// Callers is who in the guest asked for how much, most first; absent where that was not wanted.
	Callers []Caller `json:"callers,omitempty"`

	// Of a guest with many processors, what each accepted, in their order, and how many did at the same time.
	Processors []AcceptedOn `json:"processors,omitempty"`
	Acceptors  *Acceptors   `json:"acceptors,omitempty"`
}

// Negotiation is what firmware and the operating system told each other about unaccepted memory before
// ExitBootServices.
type Negotiation struct {
	Offered          bool     `json:"offered"`                // firmware published the memory acceptance protocol
	LookedUpBy       []string `json:"looked_up_by"`           // images that asked for it, each once
	AllowedBy        []string `json:"allowed_by"`             // images that called AllowUnacceptedMemory
	AcceptedAtExit   uint64   `json:"accepted_at_exit_bytes"` // what firmware accepted at ExitBootServices, since the protocol had not been called
	ExitBootServices int      `json:"exit_boot_services_calls"`
}

// AcceptanceBy is the acceptance of each agent.
type AcceptanceBy struct {
	Firmware AgentAcceptance `json:"firmware"`
	Stub     AgentAcceptance `json:"stub"`
	Kernel   AgentAcceptance `json:"kernel"`
}

// AgentAcceptance is what one agent accepted. Memory that was accepted again after a conversion counts again.
type AgentAcceptance struct {
	Name string `json:"name"` // who that was: "firmware", "EFI stub", "kernel", or an EFI application by its name
	Count
	VirtualNS int64            `json:"virtual_ns"` // that it took, the host's part included
	Sizes     map[string]Count `json:"sizes"`      // by page size
	UntilInit Count            `json:"until_init"` // before the first instruction at privilege level 3
	AfterInit Count            `json:"after_init"`
}

// Callees is how often what was called on an interface: by name, then by status ("" where there is none).
type Callees map[string]map[string]uint64

// PhaseReached is one phase and when it was reached.
type PhaseReached struct {
	Phase Phase `json:"phase"`
	Stamp
	Unaccepted uint64 `json:"unaccepted_bytes"`
}

// Guest is what the guest's init reported about itself.
type Guest struct {
	MemInfo     *MemInfo `json:"meminfo"`
	CommandLine string   `json:"command_line"`    // as its kernel has it; empty where the init did not report
	Touched     *MemInfo `json:"meminfo_touched"` // after it touched memory; nil where it was not told to
	Flags       []string `json:"flags"`           // of /proc/cpuinfo, in its order
	VMPL        *int     `json:"vmpl"`            // of /sys/devices/system/cpu/sev/vmpl; nil where the kernel does not say
	Took        []Answer `json:"took,omitempty"`  // what it took for answers of its host's and of devices
	Steps       []Step   `json:"steps"`           // the instants at which it read its memory's state, in the order of time
	Up          *Up      `json:"up"`              // its software has come up; nil where its console does not say so
}

// Answer is how much a guest's program says that it took for an answer to What: "random", "quote".
type Answer struct {
	What  string `json:"what"`
	Bytes uint64 `json:"bytes"`
}

// Up is when a guest has said on its console that its software has come up, and by what: "login prompt" or "systemd".
type Up struct {
	By string `json:"by"`
	Stamp
}

// Step is one instant at which the guest's program read the state of its memory, with the machine's books of the same
// instant.
type Step struct {
	Name string `json:"name"` // the program's: "init", "touched"
	Stamp
	Accepted   uint64   `json:"accepted_bytes"`   // of all memory, by the machine
	Unaccepted uint64   `json:"unaccepted_bytes"` // by the machine
	BitmapSet  *uint64  `json:"bitmap_set_bytes"` // by the guest's bitmap, read by the machine; nil where there is none
	MemInfo    *MemInfo `json:"meminfo"`          // as the program told it; nil where it did not
}

// MemInfo is from the guest's /proc/meminfo, in bytes.
type MemInfo struct {
	MemTotal   uint64  `json:"MemTotal"`
	MemFree    uint64  `json:"MemFree"`
	Unaccepted *uint64 `json:"Unaccepted"` // nil where the kernel has no such line

	// A guest in Go says in addition what its program holds, what it has ever touched in whole units of 2 MiB, and how
	// much accepted memory it keeps for the next who needs some.
	Program *uint64 `json:"Program,omitempty"`
	Touched *uint64 `json:"Touched,omitempty"`
	Reserve *uint64 `json:"Reserve,omitempty"`
}

// VirtualNS is when things were in virtual time, since the machine started.
type VirtualNS struct {
	Init  *int64 `json:"init"`
	Total int64  `json:"total"`
}

// Host is what the run took where it ran. It is all that differs between two runs of one configuration.
type Host struct {
	Engine       string  `json:"engine"` // what executed the guest: "interpreter", "translator" or "lockstep"
	WallNS       int64   `json:"wall_ns"`
	MIPS         float64 `json:"mips"`           // million guest instructions in a second of wall time
	PeakRSSBytes uint64  `json:"peak_rss_bytes"` // of the process; 0 where the host does not tell
}

// HostOf accounts for a run that took so long under an engine for so many instructions in a process whose resident memory
// reached peakRSSBytes.
func HostOf(engine string, wall time.Duration, instructions, peakRSSBytes uint64) Host {
	h := Host{Engine: engine, WallNS: wall.Nanoseconds(), PeakRSSBytes: peakRSSBytes}
	if wall > 0 {
		h.MIPS = math.Round(float64(instructions)/wall.Seconds()/1e5) / 10
	}
	return h
}

// ToldToUseLess says whether the guest's command line keeps memory from its kernel. What that counts, and what it says is
// unaccepted, is then less than the guest was given, and rightly so (Linux Documentation/admin-guide/kernel-parameters.txt).
func (r *Record) ToldToUseLess() bool {
	for word := range strings.FieldsSeq(cmp.Or(r.Guest.CommandLine, r.Config.CommandLine)) {
		if strings.HasPrefix(word, "mem=") || strings.HasPrefix(word, "memmap=") {
			return true
		}
	}
	return false
}

// Progress is where a run is, for those who watch it.
type Progress struct {
	Stamp
	AcceptedBytes   uint64
	UnacceptedBytes uint64
}

// WriteJSON writes the record as indented JSON.
func (r *Record) WriteJSON(w io.Writer) error {
	return schema.Write(w, r)
}
