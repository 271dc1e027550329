package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// CBit is the address bit that makes a page private in page-table entries and CR3: CPUID 0x8000001F EBX[5:0] is its
// position.
const CBit = 1 << cBitPosition

const cBitPosition = 51

// Config is what a guest is made with and what surrounds it.
type Config struct {
	Memory *mem.Memory
	RAM    []accept.Range // where there is memory: ascending, disjoint, whole pages, within Memory. The rest is MMIO
	CPUs   int            // number of processors, at least 1
	Host   Host
	Seed   uint64 // of what pages hold after they have changed owner

	// VideoMemory is a device's memory among the addresses that are not RAM, which the host maps for the guest as it is; it may be
	// empty. It is shared.
	VideoMemory accept.Range

	Topology x86.Topology // what the processors are parts of; the zero Topology is x86.Flat

	// Features is CPUID of the bare processor: what the interpreter implements. The guest finds it in its CPUID table
	// as an AMD processor tells it.
	Features func(leaf, subleaf uint32) [4]uint32

	Log *record.Log // may be nil

	// Stamp is the machine's time; nil takes the processor's own.
	Stamp func(*x86.CPU) record.Stamp

	// Processors starts and stops others than the one that asks; nil where there is one.
	Processors Processors

	// Forget makes every processor forget frames: [x86.CPU.Forget].
	Forget func(p physical.Plane, start, end uint64)
}

// Platform is SEV-SNP with one guest.
type Platform struct {
	cfg     Config
	mem     *mem.Memory
	host    Host
	replier Replier // host, where it is one
	starter Starter // the same
	log     *record.Log
	rmp     *pagestate.Map[pageState]
	ram     uint64 // pages of RAM
	table   []leaf // CPUID
	vcpus   []vcpu

	levels levels      // what VMPL1 to 3 may do with the guest's pages
	frames []hostFrame // that the host has in its hands
	key    guestKey
	grew   func(bytes int64)

	jumpTable uint64 // what the guest has set as the AP jump table's address

	messages [abi.MessageKeys]message // the last one under each key that the guest has sent the secure processor
}

// A vcpu is what is kept of one virtual processor: beside its registers in the VMSA, what its VMCB holds.
type vcpu struct {
	ghcb       uint64 // the GHCB MSR
	registered uint64 // the GHCB's address as the guest has registered it; notRegistered before
	dr7        uint64 // as the guest has told the host
	vmsa       uint64 // number of the page with the VMSA that it runs from, counted from 1; 0 where that is not in the guest's memory
	vmpl       uint8  // the privilege level that it runs at: 0 to 3. Nothing starts one at another level than 0 yet

	request request // the one in the GHCB under way; here, so that not every VMGEXIT makes one

	unvalidated *confidential.Violation // the last access that met a page that is not validated
}

// New makes a guest all of whose memory is the hypervisor's.
func New(cfg Config) (*Platform, error) {
	if cfg.Stamp == nil {
		cfg.Stamp = func(c *x86.CPU) record.Stamp {
			return record.Stamp{VirtualNS: c.Now(), Instructions: c.Instructions()}
		}
	}
	if cfg.Topology == (x86.Topology{}) {
		cfg.Topology = x86.Flat(cfg.CPUs)
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("SEV-SNP: %w", err)
	}
	p := &Platform{
		cfg: cfg, mem: cfg.Memory, host: cfg.Host, log: cfg.Log,
		rmp:    pagestate.New[pageState](),
		levels: newLevels(),
		table:  cpuidTable(cfg.Features, cfg.Topology),
		vcpus:  make([]vcpu, cfg.CPUs),
	}
	var err error
	if p.key, err = newKey(cfg.Seed); err != nil {
		return nil, fmt.Errorf("SEV-SNP: %w", err)
	}
	p.replier, _ = cfg.Host.(Replier)
	p.starter, _ = cfg.Host.(Starter)
	for i := range p.vcpus {
		p.vcpus[i] = vcpu{ghcb: sevInfo, registered: notRegistered, dr7: dr7Reset}
	}
	for _, r := range cfg.RAM {
		p.ram += r.Len() / mem.PageSize
	}
	return p, nil
}

// OnGrowth has grew hear how many bytes of the host's memory the RMP takes more, or less, than before.
func (p *Platform) OnGrowth(grew func(bytes int64)) {
	p.grew = grew
	p.rmp.OnGrowth(grew)
	for _, l := range p.levels {
		l.OnGrowth(grew)
	}
}

func (cfg *Config) check() error {
	switch {
	case cfg.Memory == nil, cfg.Host == nil, cfg.Features == nil, cfg.Forget == nil:
		return fmt.Errorf("a configuration needs Memory, Host, Features and Forget")
	case cfg.CPUs < 1 || cfg.CPUs > maxCPUs:
		return fmt.Errorf("%d processors: want 1 to %d", cfg.CPUs, maxCPUs)
	}
	end, limit := uint64(0), min(cfg.Memory.Size(), pagestate.Pages*mem.PageSize)
	for _, r := range cfg.RAM {
		if r.Empty() || r.Start < end || r.End > limit || (r.Start|r.End)%mem.PageSize != 0 {
			return fmt.Errorf("RAM at %v: want ascending ranges of whole pages below %#x", r, limit)
		}
		end = r.End
	}
	return nil
}

const (
	// maxCPUs is what the 8 bits of CPUID 0x80000008 ECX[7:0] can tell.
	maxCPUs = 256

	dr7Reset = 0x400
)

// Unaccepted returns how many bytes of RAM the guest may not use as it stands: neither validated nor shared with the
// host. Whether the host has assigned the page makes no difference. Where firmware has validated all it does not hand
// over, this is what the unaccepted memory bitmap of a correct guest counts, at any instant between two acceptances.
func (p *Platform) Unaccepted() uint64 {
	n := p.ram
	for s := range pageState(pageStates) {
		if o := s.owner(); o == validated || o == shared {
			n -= p.rmp.Count(s)
		}
	}
	return n * mem.PageSize
}

// Memory returns how many bytes are assigned to the guest, how many of them are validated, and how many bytes are mapped
// for it as shared memory.
func (p *Platform) Memory() (private, taken, common uint64) {
	for s := range pageState(pageStates) {
		n := p.rmp.Count(s) * mem.PageSize
		switch {
		case s.private() && s.owner() == validated:
			private, taken = private+n, taken+n
		case s.private():
			private += n
		case s.owner() == shared:
			common += n
		}
	}
	return private, taken, common
}

// State names the state of the page at gpa, without C-bit: "hypervisor-owned", "shared", "not validated", "validated",
// or "no memory" where there is none.
func (p *Platform) State(gpa uint64) string {
	if !p.isRAM(gpa, 1) {
		return "no memory"
	}
	return p.rmp.At(gpa / mem.PageSize).String()
}

// isRAM says whether all n bytes from gpa are RAM.
func (p *Platform) isRAM(gpa, n uint64) bool { return accept.Contains(p.cfg.RAM, gpa, n) }

func (p *Platform) vcpuOf(c *x86.CPU) *vcpu { return &p.vcpus[c.ID()] }

func (p *Platform) call(c *x86.CPU, i record.Interface, name, status string) {
	p.log.Call(record.Called{Stamp: p.cfg.Stamp(c), Interface: i, Name: name, Status: status})
}

// exit charges an exit to the host and counts it.
func (p *Platform) exit(c *x86.CPU, reason string) {
	c.Charge(cost.Exit, 1)
	p.call(c, record.HostExit, reason, "")
}
