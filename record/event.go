package record

import "github.com/tacit-vm/tacit/physical"

// Stamp is a moment of a run. The machine supplies it: this package has no clock.
type Stamp struct {
	VirtualNS    int64  `json:"virtual_ns"`   // since the machine started
	Instructions uint64 `json:"instructions"` // executed by the guest so far, on all CPUs
}

// Event is one thing that happened: an Accepted, Added, Converted, Called, Marked or Said.
type Event interface {
	kind() string
	when() Stamp
}

// Accepted says that private memory became accepted (TDX: TDG.MEM.PAGE.ACCEPT; SEV-SNP: PVALIDATE), page by page: each
// page is one operation. Attempts that failed are not Accepted; they are Called with their status.
type Accepted struct {
	Stamp
	Last  Stamp             `json:"last"` // of the last operation; the Log sets it
	By    Agent             `json:"by"`   // the Log replaces Running
	CPU   int               `json:"cpu"`  // the processor that it was done on
	GPA   Address           `json:"gpa"`
	Bytes uint64            `json:"bytes"` // a multiple of Size
	Size  physical.PageSize `json:"size"`
	NS    int64             `json:"ns"`  // virtual time that it took, the host's part included
	RIP   Address           `json:"rip"` // the guest instruction; 0 when the firmware did it

	Stack *Stack `json:"stack,omitempty"` // who in the guest asked; nil where that is not wanted, and firmware's. The Log sets it
}

// Added says that the host gave the guest private pages (TDX: TDH.MEM.PAGE.AUG; SEV-SNP: RMPUPDATE).
type Added struct {
	Stamp
	Last  Stamp             `json:"last"` // of the last page; the Log sets it
	GPA   Address           `json:"gpa"`
	Bytes uint64            `json:"bytes"` // a multiple of Size
	Size  physical.PageSize `json:"size"`
}

// Converted says that a range of memory changed between private and shared at the guest's request.
type Converted struct {
	Stamp
	GPA   Address        `json:"gpa"`
	Bytes uint64         `json:"bytes"`
	To    physical.Plane `json:"to"`
}

// Called says that a call crossed an interface. Name and Status are constants of the caller of Log.Call, never a
// guest's own text; Status is empty where there is none.
type Called struct {
	Stamp
	Interface Interface `json:"interface"`
	Name      string    `json:"name"`
	Status    string    `json:"status,omitempty"`
}

// Marked says that a phase was reached, and how much memory was not accepted then: private memory that the machine
// holds as not accepted, in bytes.
type Marked struct {
	Stamp
	Phase      Phase  `json:"phase"`
	Unaccepted uint64 `json:"unaccepted_bytes"`
}

// Said is one line of the guest's console, at the instant at which it ended. Only who watches a Log hears of it.
type Said struct {
	Stamp
	Text string `json:"text"` // printable, without its end; the Log sees to that
}

func (Accepted) kind() string  { return "accept" }
func (Added) kind() string     { return "add" }
func (Converted) kind() string { return "convert" }
func (Called) kind() string    { return "call" }
func (Marked) kind() string    { return "mark" }
func (Said) kind() string      { return "say" }

func (s Stamp) when() Stamp { return s }

func (s Stamp) before(t Stamp) bool {
	return s.VirtualNS < t.VirtualNS || s.VirtualNS == t.VirtualNS && s.Instructions < t.Instructions
}
