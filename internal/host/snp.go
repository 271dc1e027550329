package host

import (
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// SNPConfig is what a host of an SEV-SNP guest has beyond a [Config].
type SNPConfig struct {
	// CPUID is the guest's CPUID as the hypervisor knows it.
	CPUID func(c *x86.CPU, leaf, subleaf uint32) [4]uint32

	// WallClock is the time at virtual time 0, in seconds since 1970, and TSCHz the frequency of the guest's TSC: for
	// KVM's clock. 0 is 1 GHz.
	WallClock int64
	TSCHz     uint64

	// ConvertLimit is how many bytes a page state change converts before the guest has to ask again: a multiple of 4
	// KiB. 0 is 64 MiB.
	ConvertLimit uint64
}

// SNP is the honest host of an SEV-SNP guest. It differs from the honest host of a TD in what it is asked, not in its
// policy.
type SNP struct {
	*Host
	snp   SNPConfig
	clock map[int]uint64 // where each processor wants its clock; bit 0 is set
}

// NewSNP returns a host that has yet to be given its guest, with [Host.Serve].
func NewSNP(cfg Config, snp SNPConfig) (*SNP, error) {
	h, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if snp.TSCHz == 0 {
		snp.TSCHz = 1_000_000_000
	}
	if snp.ConvertLimit == 0 {
		snp.ConvertLimit = maxConvert
	}
	switch {
	case snp.CPUID == nil:
		return nil, fmt.Errorf("host: no CPUID")
	case snp.ConvertLimit%mem.PageSize != 0:
		return nil, fmt.Errorf("host: converts %#x bytes at a time: want a multiple of 4 KiB", snp.ConvertLimit)
	}
	return &SNP{Host: h, snp: snp, clock: make(map[int]uint64)}, nil
}

// ChangePageState makes pages private or shared at the guest's request, up to the limit. It returns the address that it
// has come to, and whether it will go on from there: memory that is not the guest's cannot be converted. Pages are
// assigned to the guest when it first touches or validates them (KVM, sev_gmem_prepare).
func (h *SNP) ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (next uint64, ok bool) {
	end = min(end, start+h.snp.ConvertLimit)
	c.Charge(cost.PageStateChange, 1)
	if !h.isRAM(start, end) {
		return start, false
	}
	event := cost.PageStateChange4K
	if size == physical.Size2M {
		event = cost.PageStateChange2M
	}
	c.Charge(event, (end-start+size.Bytes()-1)/size.Bytes())
	convert := h.guest.Unshare
	if to == physical.Shared {
		convert = h.share
	}
	if convert(c, start, end) != nil {
		return start, false
	}
	return end, true
}

// CPUID answers what the hypervisor knows better than the guest's table.
func (h *SNP) CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32 { return h.snp.CPUID(c, leaf, subleaf) }
