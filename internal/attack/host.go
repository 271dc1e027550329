package attack

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/device/virtio"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
	tdxabi "github.com/tacit-vm/tacit/tdx/abi"
)

// Mark is the byte of which a host makes contents and values of its own, where no seed says others.
const Mark = host.Mark

// A tactic is how a host cheats: what it does where an honest host would answer. Each function is given what the honest one
// answers, and returns the answer; a nil one leaves it. They are asked from the attack's moment on.
type tactic struct {
	in, load func(h *Host, c *x86.CPU, at uint64, size int, v uint64) uint64
	msr      func(h *Host, c *x86.CPU, index uint32, v uint64, ok bool) (uint64, bool)
	cpuid    func(h *Host, c *x86.CPU, leaf, subleaf uint32, v [4]uint32) [4]uint32
	fault    func(h *Host, c *x86.CPU, gpa uint64, p physical.Plane) error
	ghcb     func(h *Host, c *x86.CPU, code abi.ExitCode, page *[abi.GHCBSize]byte)
	ghcbMSR  func(h *Host, c *x86.CPU, request, response uint64) uint64
	clock    func(h *Host, c *x86.CPU, at uint64)
	message  func(h *Host, c *x86.CPU, at uint64, page *[abi.GHCBSize]byte) // to the secure processor, at a shared address
	heard    func(h *Host, c *x86.CPU, call tdxabi.VMCall, spare *[16]uint64)

	// convert answers a conversion itself where answered is set; else the honest host does.
	convert func(h *Host, c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok, answered bool)

	exit func(h *Host, c *x86.CPU) // of an attack on a page: after an exit that is not about that page

	used func(h *Host, c *x86.CPU, gpa uint64, write bool) // of a page that is watched

	complete func(h *Host, c *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used // what a device leaves in a ring

	quote func(h *Host, c *x86.CPU, gpa, size uint64)  // answers a request for a quote
	late  func(h *Host, c *x86.CPU)                    // after every exit
	ipi   func(h *Host, c *x86.CPU, value uint64) bool // deals with an interrupt that a processor sends, or leaves it

	holds bool                                                                                        // processors are not run: Host.Runs
	start func(h *Host, c *x86.CPU, id int, vmsa uint64, start func(id int, vmsa uint64) error) error // answers SNP AP Creation

	packet func(h *Host) []byte // what comes from a network, with its header

	before string // what the host has done before the guest begins

	pokes     bool // the ACPI tables store to memory: Host.Poke
	surprises bool // a TD is made that gets #VE for pending memory
	noRandom  bool // and processors whose RDRAND finds nothing

	// act is done once, between two instructions; back, where the guest comes back to what it was at then, or to user mode.
	act, back func(h *Host, c *x86.CPU)
}

// Host is what the hosts that cheat have in common, whatever the platform. It is a [TD] or an [SNP].
//
// It keeps an account: what it did (steps), and what shows that the guest was deceived (broken), as far as a host can tell.
// A guest may be deceived without the host's knowing: others look at its end as well.
type Host struct {
	honest server // host.Host or host.SNP; or a host.Cheat once it has begun
	guest  host.Guest
	memory host.Memory
	attack Attack
	tactic tactic
	cheat  *host.Cheat // for attacks on memory, from their moment on
	become func()      // makes cheat the one that answers

	convertHonestly func(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool)

	begun  bool
	count  uint64 // occasions
	due    uint64 // at how many instructions it acts; 0 for never
	random uint64 // state of the sequence that the seed begins

	acted   bool
	was     [17]uint64 // general-purpose registers and RIP when it acted
	level   int        // and the privilege level
	counter uint64     // the tactic's own
	last    uint64     // the tactic's own
	steps   []record.AttackStep
	broken  []string

	target uint64             // the page under attack; 0 before there is one
	stage  uint8              // how far that is
	frame  confidential.Frame // that its address led to first
	old    []byte             // its contents then

	fetched fetched
	kept    keptIPI
	older   olderVMSA
	matters bool // the reply under way is an answer
}

func newHost(honest server, m host.Memory, a Attack) *Host {
	k, _ := Named(a.Kind)
	return &Host{honest: honest, memory: m, attack: a, tactic: k.tactic, random: a.Seed}
}

// Serve makes g the guest of the honest host and of the other.
func (h *Host) Serve(g host.Guest) {
	h.guest = g
	if h.tactic.exit != nil {
		g = watcher{g, h}
	}
	h.honest.Serve(g)
}

// Surprises says whether a TD is to be made without SEPT_VE_DISABLE.
func (h *Host) Surprises() bool { return h.tactic.surprises }

// NoRandom says whether RDRAND and RDSEED are to find nothing.
func (h *Host) NoRandom() bool { return h.tactic.noRandom }

// Attack is what the host does.
func (h *Host) Attack() Attack { return h.attack }

// Begin tells the host that its moment has come, between two instructions, of which so many have completed on all processors.
func (h *Host) Begin(instructions uint64) {
	if h.begun {
		return
	}
	h.begun = true
	if h.become != nil {
		h.become()
	}
	if h.tactic.pokes {
		h.stage = added
	}
	if h.tactic.act != nil {
		h.due = instructions + h.attack.N - 1
	}
}

// Begun says whether the moment has come.
func (h *Host) Begun() bool { return h.begun }

// Due is at how many instructions the host wants to act, which is after Begin; wants is false where it does not, or not
// any more.
func (h *Host) Due() (at uint64, wants bool) {
	return h.due, h.begun && h.tactic.act != nil && !h.acted
}

// Act has it act, between two instructions. Whether it looks for where the guest comes back is what it returns.
func (h *Host) Act(c *x86.CPU) (back bool) {
	if h.acted {
		return false
	}
	h.acted = true
	copy(h.was[:], c.R[:16])
	h.was[16], h.level = c.RIP(), c.CPL()
	h.tactic.act(h, c)
	taken := h.level == 3 || c.Flags()&x86.FlagIF != 0 // else it may wait, and the guest go on
	return h.tactic.back != nil && taken
}

// Where says where the guest was when the host acted.
func (h *Host) Where() (rip uint64, level int) { return h.was[16], h.level }

// Back tells the host that the guest may have come back.
func (h *Host) Back(c *x86.CPU) {
	if h.acted && c.CPL() == h.level && h.tactic.back != nil {
		h.tactic.back(h, c)
	}
}

// Report is what the host has done.
func (h *Host) Report() *record.Attack {
	r := &record.Attack{Kind: h.attack.Kind, N: h.attack.N, Steps: []record.AttackStep{}, Broken: append([]string{}, h.broken...)}
	if h.tactic.before != "" && h.begun {
		r.Steps = append(r.Steps, record.AttackStep{What: h.tactic.before})
	}
	if h.cheat != nil {
		r.Steps = append(r.Steps, h.cheat.Report().Steps...)
	}
	r.Steps = append(r.Steps, h.steps...)
	return r
}

// from counts an occasion and says whether it is the N-th or a later one.
func (h *Host) from() bool {
	h.count++
	return h.count >= h.attack.N
}

// once counts an occasion and says whether it is the N-th.
func (h *Host) once() bool {
	h.count++
	return h.count == h.attack.N
}

// step notes what the host did. A lie that is told again and again is noted the first time.
func (h *Host) step(c *x86.CPU, what string, err error) {
	for _, s := range h.steps {
		if s.What == what {
			return
		}
	}
	if len(h.steps) >= maxSteps {
		return
	}
	s := record.AttackStep{Stamp: record.Stamp{VirtualNS: c.Now(), Instructions: c.Instructions()}, What: what}
	if err != nil {
		s.Refused = err.Error()
	}
	h.steps = append(h.steps, s)
}

// deceived notes what shows that the guest took the host at its word, each once.
func (h *Host) deceived(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	for _, b := range h.broken {
		if b == text {
			return
		}
	}
	if len(h.broken) < maxBroken {
		h.broken = append(h.broken, text)
	}
}

// value is the next of the sequence that the seed begins (SplitMix64, Steele et al., OOPSLA 2014).
func (h *Host) value() uint64 {
	h.random += 0x9E3779B97F4A7C15
	z := h.random
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

const (
	maxSteps  = 16
	maxBroken = 8
	maxText   = 4096
)

// Carry carries how far the attack is. What the honest host keeps is carried apart.
func (h *Host) Carry(s *state.Stream) {
	s.Bool(&h.begun)
	if h.begun && h.become != nil && h.cheat == nil && s.Reading() {
		h.become()
	}
	if h.cheat != nil {
		h.cheat.Carry(s)
	}
	state.Numbers(s, &h.count, &h.due, &h.random, &h.counter, &h.last)
	s.Bool(&h.acted)
	state.Array(s, h.was[:])
	state.Numbers(s, &h.level)
	state.Slice(s, &h.steps, maxSteps, func(step *record.AttackStep) { step.Carry(s) })
	state.Numbers(s, &h.target)
	state.Numbers(s, &h.stage)
	state.Numbers(s, &h.frame)
	state.Bytes(s, &h.old, mem.PageSize)
	state.Array(s, h.fetched.read[:])
	state.Array(s, h.fetched.wrote[:])
	s.Bool(&h.kept.some)
	state.Numbers(s, &h.kept.cpu)
	state.Numbers(s, &h.kept.value)
	state.Numbers(s, &h.older.cpu)
	state.Numbers(s, &h.older.at, &h.older.before)
	state.Slice(s, &h.broken, maxBroken, func(text *string) { state.String(s, text, maxText) })
}
