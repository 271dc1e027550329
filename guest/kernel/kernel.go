//go:build linux && amd64

package kernel

import (
	"sync/atomic"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
)

// kernel is everything that the kernel knows. It is in the program's initialised data: page faults are served from it,
// so none may be needed to read it. After [boot] no pointer in it changes; a pointer that is stored while the collector
// runs would have to be told to it, and the kernel has no way to.
type kernel struct {
	kind        uint64 // one of the platforms
	systemTable uint64
	boot        bootServices
	left        bool   // boot services
	loaded      bool   // GS leads to the processor
	failing     bool   // the end has begun
	ports       bool   // the serial ports can be used
	broken      error  // what is wrong with the final map, until it can be said
	encrypted   uint64 // address bits that mark private memory in page tables: the C-bit, or 0
	cpuidPage   uint64 // guest-physical address of the SEV-SNP CPUID page
	noExecute   uint64 // the bit of a page-table entry, 0 where the processor has none
	bigPages    bool   // there are pages of 1 GiB
	hasRDRAND   bool
	hasReport   bool // there is a second serial port

	arena, arenaEnd uint64 // guest-physical: what is left of it
	memoryMap       negotiate.Map
	inUse           [8]accept.Range
	inUseN          int
	moreTables      accept.Range // for page tables, where the arena is too small for them
	limit           uint64       // where private memory's addresses end
	exit            negotiate.Exit
	answer          negotiate.Answer
	quoting         quoting
	table           uint64       // guest-physical: LINUX_EFI_UNACCEPTED_MEM_TABLE, 0 where there is none
	tableMemory     accept.Range // what it may take up

	payload       payload
	timer         timer
	interruptFlag uint64 // in the flags of a program: set where there is a timer
	memory        memory
	tables        pageTable
	firmware      pageTable // those for calls of it: what it needs where it is in physical memory, and the kernel
	space         addressSpace
	mappings      fileMappings
	idt           [512]uint64
	first         processor
	cpus          [maxProcessors]*processor
	start         start
	online        uint64        // how many of cpus there are
	begun         atomic.Uint32 // the program has
	lock          spinLock
	changes       atomic.Uint64 // of the program's page tables, that processors have to look at
	ending        atomic.Uint32 // one more than the index of the processor that ends the guest
	watch         uint64        // until when a processor that rests looks whether a thread wakes by itself; none does where it is the highest number
	accepting     uint64        // how many processors take memory without the lock
	settled       bool          // none accepts any ahead of use
	early         bool          // a thread sleeps that wakes before that

	threads     [maxThreads]thread
	threadsN    uint64 // threads beyond have never been used
	used        uint64 // processor time of all threads there have been, in nanoseconds
	byUse       usedTimer
	actions     [signals + 1]signalAction
	tree        tree
	program     uint32 // the node of the program's own executable; 0 for none
	descriptors descriptors
	pipes       [maxPipes]pipe
	interests   [maxInterests]interest
	umask       uint32
	pathBuffer  [maxPath]byte // of what is being sent out (outgoing.go)

	hasInput, inputEnded bool       // of the console
	raw                  bool       // no CR before LF there
	typed                [4096]byte // and not read yet
	typedN               uint64

	tscStart, tscHz uint64
	epoch           uint64 // nanoseconds since 1970 at tscStart
	seed            uint64

	last byte     // that was printed on the console
	room [2]uint8 // in the FIFOs of the serial ports

	options    [maxOptions]byte // the load options, as far as they are ASCII
	optionsN   int
	acceptance uint64 // what they say about unaccepted memory

	syscalls, faults uint64
}

// maxOptions is how many characters of the load options are read.
const maxOptions = 1024

var k = kernel{last: '\n', online: 1, watch: never}
