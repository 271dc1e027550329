// Package report is the language in which the init inside a guest tells the machine outside what it sees: lines of text
// on the second serial port. The init writes them with [Line], the machine reads them with [Parser].
//
// A report is one line of version, then lines in any order, each a keyword, a blank and the rest:
//
//	tacit 1                        a report begins; the number is the version of this language
//	begin NAME                     memory is about to be read for the snapshot NAME: "init" is the report, "untouched" is
//	                               how it was before the init touched some
//	end NAME                       it has been read; no byte came between and the values follow
//	meminfo MemTotal=4012345 …     of the snapshot: fields of /proc/meminfo, in KiB as there; a guest in Go adds three of
//	                               its own: what its program holds, what it has touched in whole units, and its reserve
//	vmstat nr_free_pages=995432 …  of the snapshot: fields of /proc/vmstat, in 4 KiB pages, or events
//	clock monotonic=… realtime=…   of the snapshot: CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds
//	uname RELEASE VERSION          utsname: the kernel's release, then its build
//	cmdline …                      /proc/cmdline
//	cpuflags …                     the flags of the first CPU in /proc/cpuinfo
//	vmpl N                         /sys/devices/system/cpu/sev/vmpl, where it exists
//	took WHAT N                    the guest has taken N bytes for what its host, or a device, had answered: "random", "quote"
//	touched N                      N bytes of memory were touched, one byte of every 4 KiB page
//	error …                        something the init wanted to do failed, in words
//	done                           the report is complete; the guest powers off
//
// A field that the kernel does not have is left out. Unknown keywords and fields are skipped, so that this language can
// grow. Between "begin" and "end" the init allocates nothing and waits for each to leave the port: the machine compares
// its own books with the guest's at these two instants.
package report

// Version is the version of the language.
const Version = 1

// Keywords, the first word of a line.
const (
	Header   = "tacit"
	Begin    = "begin"
	End      = "end"
	Meminfo  = "meminfo"
	VMStat   = "vmstat"
	Clock    = "clock"
	Uname    = "uname"
	Cmdline  = "cmdline"
	CPUFlags = "cpuflags"
	VMPL     = "vmpl"
	Took     = "took"
	Touched  = "touched"
	Error    = "error"
	Done     = "done"
)

// What a guest takes from its host: the answers that Took speaks of.
const (
	Random = "random" // of a source of randomness
	Quote  = "quote"  // of the TD, by TDG.VP.VMCALL<GetQuote>
)

// Untouched is the snapshot from before the init touches memory, which is not the report yet.
const Untouched = "untouched"

// MaxLine is the longest line in bytes that a reader must take.
const MaxLine = 8 << 10

// MeminfoFields are the fields of /proc/meminfo in a report, VMStatFields those of /proc/vmstat. nr_memmap_boot_pages
// is the memory map of all memory, which no laziness avoids.
var (
	MeminfoFields = []string{"MemTotal", "MemFree", "MemAvailable", "Unaccepted", "Program", "Touched", "Reserve"}
	VMStatFields  = []string{"nr_free_pages", "nr_unaccepted", "nr_anon_pages", "nr_page_table_pages", "nr_memmap_boot_pages",
		"pgfault"}
)

// Report is what a guest's init reported. All of it is the guest's word.
type Report struct {
	Version   int // of the language; 0 if there was no report
	Release   string
	Build     string // the rest of uname
	Cmdline   string
	CPUFlags  []string
	VMPL      *int // nil if the guest's kernel does not say
	Touched   uint64
	Took      []Answer
	Snapshots []Snapshot
	Errors    []string
	Done      bool // the init got to its end
}

// Answer is how much a guest took for an answer of its host's.
type Answer struct {
	What  string
	Bytes uint64
}

// Snapshot is the state of the guest's memory at one instant.
type Snapshot struct {
	Name                string
	Meminfo             map[string]uint64 // bytes
	VMStat              map[string]uint64 // 4 KiB pages, or events
	Monotonic, Realtime uint64            // nanoseconds
}

// Snapshot returns the snapshot of that name.
func (r *Report) Snapshot(name string) (Snapshot, bool) {
	for _, s := range r.Snapshots {
		if s.Name == name {
			return s, true
		}
	}
	return Snapshot{}, false
}
