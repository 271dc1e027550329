package firmware

import (
	"fmt"
	"math/rand/v2"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// A Firmware is the state of the UEFI of one machine. All of it but the processor at work is plain data.
//
// It is not safe for concurrent use. Where several processors may call services, their runs have to take turns.
type Firmware struct {
	cfg  Config
	file *peFile // Config.Image; nil where there is none
	plan plan

	cpu  processor // the one that is calling
	from uint64    // the address that it is to return to
	ret  uint64    // what a service returns in RAX where that is no status

	work       work
	unfinished unfinished // the service under way, where it is to be called again

	wakeup wakeup
	jobs   jobs

	trap       uint64 // guest-physical address of the page of entry points
	pageTables uint64 // of firmware's own, the first

	systemTable, runtimeTable, bootTable uint64 // guest-physical
	configTable                          uint64
	tables                               []ConfigurationTable

	memory memoryMap
	pool   pool

	media  []medium
	files  []fileHandle // that are open, in the order in which they were
	opened openedFile

	functions  []pciFunction // of devices on the bus
	mappings   []dmaMapping
	buffers    []accept.Range // of AllocateBuffer
	mappingSeq uint64

	path       record.Path
	travellers []traveller  // whose code is where
	leaver     accept.Range // the memory of who left boot services, as far as that is known
	recent     int          // the traveller that called last, from 1; 0 where that is to be looked up. It follows from the rest

	options []bootOption // of the boot manager, that have not been tried
	refused []string     // what it could not start, and why

	handles         handleDatabase
	registrations   []registration
	registrationSeq uint64

	images []image
	frames []frame // calls into the guest that have not returned, the latest last

	tpl      uint64
	events   []event
	eventSeq uint64
	queue    []uint64 // events whose notification functions are due, in the order of signals

	console     console
	keyboard    keyboardState
	packages    []packageList // of the human interface infrastructure, in the order in which they were handed in
	packageSeq  uint64
	retry       int64 // when a tick can be tried again, in virtual nanoseconds
	watchdog    int64 // when it expires; 0 where it does not
	random      *rand.ChaCha8
	clockOffset int64 // seconds that SetTime has added
	variables   variableStore
	monotonic   uint64

	exiting     exitStage
	exited      bool // boot services are gone
	virtual     bool // SetVirtualAddressMap has been called
	converting  []uefi.MemoryDescriptor
	negotiation negotiate.Negotiation
	unaccepted  uint64 // firmware's own table of unaccepted memory, guest-physical; 0 where there is none
	told        Told   // of Config.Lie
	lieAbout    accept.Range
	grew        func(int64) // hears of the size of all this; nil where it does not matter
	counted     int64       // what it has heard
	missed      []uefi.GUID // protocols that were asked for and not there: the last few, the latest last
}

// A Negotiation is what firmware and the operating system told each other about unaccepted memory.
type Negotiation struct {
	Offered      bool     // the memory acceptance protocol was installed
	LookedUpBy   []string // images that asked for the protocol, each once
	AllowedBy    []string // images that called AllowUnacceptedMemory
	AcceptedLate uint64   // bytes that firmware accepted at ExitBootServices
	ExitAttempts int      // calls of ExitBootServices
}

// New returns firmware that [Firmware.Boot] can start. It fails where the configuration is impossible or the image is
// not one that x86-64 firmware can load.
func New(cfg Config) (*Firmware, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	var file *peFile
	if len(cfg.Image) > 0 || len(cfg.Disks) == 0 {
		var err error
		if file, err = parsePE(sliceReader(cfg.Image)); err != nil {
			return nil, fmt.Errorf("%s: %w", cfg.ImageName, err)
		}
	}
	f := &Firmware{cfg: cfg, file: file, tpl: uefi.TPLApplication, negotiation: negotiate.Negotiation{Policy: cfg.Policy}}
	f.plan = cfg.plan(cfg.need(file))
	f.jobs.others = make([]otherProcessor, max(cfg.ACPI.CPUs, 1)-1)
	f.random = rand.NewChaCha8(seed(cfg.Seed))
	return f, nil
}

// Accepts returns what firmware accepts before it starts the image. It is all of RAM where no memory is unaccepted.
func (f *Firmware) Accepts() []accept.Range { return f.plan.accepted }

// Leaves returns what firmware hands over as EfiUnacceptedMemory.
func (f *Firmware) Leaves() []accept.Range { return f.plan.unaccepted }

// Negotiation returns what has been said so far.
func (f *Firmware) Negotiation() Negotiation {
	n := &f.negotiation
	return Negotiation{
		Offered: n.Offered, LookedUpBy: n.LookedUpBy.Names(), AllowedBy: n.AllowedBy.Names(),
		AcceptedLate: n.AcceptedLate, ExitAttempts: n.ExitAttempts,
	}
}

// Exited says whether ExitBootServices has succeeded.
func (f *Firmware) Exited() bool { return f.exited }

// Trap says whether gpa is in the page of entry points. It implements x86.Traps.
func (f *Firmware) Trap(gpa uint64) bool { return f.trap != 0 && gpa&^pageMask == f.trap }
