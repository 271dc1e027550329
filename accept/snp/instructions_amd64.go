package snp

import "github.com/tacit-vm/tacit/snp/abi"

// Processor executes the instructions on this processor. It has to be that of an SEV-SNP guest, at CPL 0: anywhere else
// they raise #UD or #GP.
type Processor struct{}

// PVALIDATE implements [Instructions].
func (Processor) PVALIDATE(va uint64, size abi.PageSize, validate bool) (abi.Result, bool) {
	var edx uint64
	if validate {
		edx = 1
	}
	r, unchanged := pvalidate(va, uint64(size), edx)
	return abi.Result(r), unchanged
}

// Evict implements [Instructions].
func (Processor) Evict(va uint64) { evict(va) }

// GHCBMSR implements [Instructions].
func (Processor) GHCBMSR() uint64 { return rdmsr(abi.MSRGHCB) }

// SetGHCBMSR implements [Instructions].
func (Processor) SetGHCBMSR(v uint64) { wrmsr(abi.MSRGHCB, v) }

// VMGEXIT implements [Instructions].
func (Processor) VMGEXIT() { vmgexit() }

func pvalidate(va, size, validate uint64) (result uint32, unchanged bool)

func evict(va uint64)

func rdmsr(index uint32) (v uint64)

func wrmsr(index uint32, v uint64)

func vmgexit()
