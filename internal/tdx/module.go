package tdx

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Config is what a TD is made with (TD_PARAMS of TDH.MNG.INIT) and what surrounds it.
type Config struct {
	Memory *mem.Memory
	RAM    []accept.Range // where there is memory: ascending, disjoint, multiples of 4 KiB, within Memory. The rest is MMIO or nothing
	CPUs   int            // number of processors, at least 1; their IDs count from 0
	Host   Host

	// VideoMemory is a device's memory among the addresses that are not RAM, which the host maps for the guest as it is; it may be
	// empty. It is shared.
	VideoMemory accept.Range

	// GPAW is the width of a guest-physical address with its shared bit, which is the topmost: 48 or 52 bits. 0 is
	// 48, what KVM gives a guest with four-level EPT.
	GPAW       int
	Attributes uint64 // ATTRIBUTES: abi.AttrSEPTVEDisable is what Linux asks for
	TSCHz      uint64 // a multiple of 25 MHz; 0 is 1 GHz

	// Features is CPUID of the bare processor: what the interpreter implements. The module shows it through its masks.
	Features func(leaf, subleaf uint32) [4]uint32

	Log *record.Log // may be nil

	// Stamp is the machine's time; nil takes the processor's own.
	Stamp func(*x86.CPU) record.Stamp

	// Forget makes every processor forget frames: [x86.CPU.Forget].
	Forget func(p physical.Plane, start, end uint64)
}

// Module is the TDX module with one TD.
type Module struct {
	cfg       Config
	mem       *mem.Memory
	host      Host
	listener  Listener // host, where it is one
	attester  Attester // host, where it is one
	log       *record.Log
	pages     *pagestate.Map[pageState]
	sharedBit uint64
	la57      bool   // the TD sees LA57 (module, cpuid_flags.la57_supported)
	ram       uint64 // pages of RAM
	vp        []vp
	rtmr      [rtmrs]digest
	notify    uint64 // NOTIFY_ENABLES
}

// A vp is the module's state of one virtual processor (TDVPS).
type vp struct {
	ve       veInfo
	debugctl uint64
	dsArea   uint64 // IA32_DS_AREA

	// CPUID raises #VE whatever the leaf, where they are not 0 (TDG.VP.CPUIDVE.SET, TDG.VP.WR), or of the leaves of cpuidOrder.
	cpuidSupervisorVE, cpuidUserVE uint8
	cpuidControl                   [128]uint8

	// What is about VMs of the TD's own, by their numbers, of which 0 is the TD itself.
	l2Ctls, tscDeadline [4]uint64
}

// New makes a TD all of whose memory is private and absent.
func New(cfg Config) (*Module, error) {
	if cfg.GPAW == 0 {
		cfg.GPAW = 48
	}
	if cfg.TSCHz == 0 {
		cfg.TSCHz = 1e9
	}
	if cfg.Stamp == nil {
		cfg.Stamp = func(c *x86.CPU) record.Stamp {
			return record.Stamp{VirtualNS: c.Now(), Instructions: c.Instructions()}
		}
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("TDX: %w", err)
	}
	m := &Module{
		cfg: cfg, mem: cfg.Memory, host: cfg.Host, log: cfg.Log,
		pages:     pagestate.New[pageState](),
		sharedBit: 1 << (cfg.GPAW - 1),
		la57:      cfg.Features(7, 0)[2]&x86.LeafLA57 != 0,
		vp:        make([]vp, cfg.CPUs),
	}
	for i := range m.vp {
		m.vp[i].tscDeadline[0] = ^uint64(0) // there is none (module, init_tdvps_fields in helpers.c)
	}
	m.listener, _ = cfg.Host.(Listener)
	m.attester, _ = cfg.Host.(Attester)
	for _, r := range cfg.RAM {
		m.ram += r.Len() / mem.PageSize
	}
	return m, nil
}

// OnGrowth has grew hear how many bytes of the host's memory the states of the TD's pages take more, or less, than before.
func (m *Module) OnGrowth(grew func(bytes int64)) { m.pages.OnGrowth(grew) }

func (cfg *Config) check() error {
	switch {
	case cfg.Memory == nil, cfg.Host == nil, cfg.Features == nil, cfg.Forget == nil:
		return fmt.Errorf("a configuration needs Memory, Host, Features and Forget")
	case cfg.CPUs < 1 || cfg.CPUs > maxCPUs:
		return fmt.Errorf("%d processors: want 1 to %d", cfg.CPUs, maxCPUs)
	case cfg.GPAW != 48 && cfg.GPAW != 52:
		return fmt.Errorf("guest-physical addresses of %d bits: want 48 or 52", cfg.GPAW)
	case cfg.TSCHz%tscUnit != 0 || cfg.TSCHz < minTSC || cfg.TSCHz > maxTSC:
		return fmt.Errorf("a TSC of %d Hz: want a multiple of 25 MHz from 100 MHz to 10 GHz", cfg.TSCHz)
	case cfg.Attributes&^(abi.AttrDebug|abi.AttrSEPTVEDisable) != 0:
		return fmt.Errorf("attributes %#x: only DEBUG and SEPT_VE_DISABLE are implemented", cfg.Attributes)
	}
	end, limit := uint64(0), min(cfg.Memory.Size(), 1<<(cfg.GPAW-1))
	for _, r := range cfg.RAM {
		if r.Empty() || r.Start < end || r.End > limit || (r.Start|r.End)%mem.PageSize != 0 {
			return fmt.Errorf("RAM at %v: want ascending ranges of whole pages below %#x", r, limit)
		}
		end = r.End
	}
	return nil
}

const (
	maxCPUs = 0xFFFF // MAX_VCPUS is 16 bits wide (module, tdh_vp_init.c)

	// The virtual TSC counts in units of 25 MHz, between 4 and 400 of them (ABI, TD_PARAMS.TSC_FREQUENCY).
	tscUnit = 25_000_000
	minTSC  = 4 * tscUnit
	maxTSC  = 400 * tscUnit
)

// SharedBit returns the bit of a guest-physical address that makes it shared.
func (m *Module) SharedBit() uint64 { return m.sharedBit }

// Unaccepted returns how many bytes of RAM the guest may not use as it stands: neither accepted nor shared with the
// host. Whether the host has added the page makes no difference. Where firmware has accepted all it does not hand
// over, this is what the unaccepted memory bitmap of a correct guest counts, at any instant between two acceptances.
func (m *Module) Unaccepted() uint64 {
	n := m.ram
	for s := range pageState(pageStates) {
		if s.private() == accepted || s&shared != 0 {
			n -= m.pages.Count(s)
		}
	}
	return n * mem.PageSize
}

// Memory returns how many bytes of private memory there are, how many of them are accepted, and how many bytes are
// mapped in the shared EPT.
func (m *Module) Memory() (private, taken, common uint64) {
	for s := range pageState(pageStates) {
		n := m.pages.Count(s) * mem.PageSize
		if s.private() != absent {
			private += n
		}
		if s.private() == accepted {
			taken += n
		}
		if s&shared != 0 {
			common += n
		}
	}
	return private, taken, common
}

// State names the state of the page at gpa, without shared bit: "absent", "pending", "accepted", "shared", or "no
// memory" where there is none.
func (m *Module) State(gpa uint64) string {
	if !m.isRAM(gpa, 1) {
		return "no memory"
	}
	return m.pages.At(gpa / mem.PageSize).String()
}

// isRAM says whether all n bytes from gpa are RAM.
func (m *Module) isRAM(gpa, n uint64) bool { return accept.Contains(m.cfg.RAM, gpa, n) }

func (m *Module) vpOf(c *x86.CPU) *vp { return &m.vp[c.ID()] }

func (m *Module) call(c *x86.CPU, i record.Interface, name, status string) {
	m.log.Call(record.Called{Stamp: m.cfg.Stamp(c), Interface: i, Name: name, Status: status})
}

// exit charges a TD exit and counts it.
func (m *Module) exit(c *x86.CPU, reason string) {
	c.Charge(cost.Exit, 1)
	m.call(c, record.HostExit, reason, "")
}
