//go:build linux && amd64

package kernel

import (
	"unsafe"

	"github.com/tacit-vm/tacit/accept"
)

// call serves the program's calls to the kernel (program.go).
func (k *kernel) call(p *processor, nr, a, b uint64) uint64 {
	switch nr {
	case callSystem:
		if !k.reach(a, uint64(unsafe.Sizeof(System{})), canWrite) {
			return efault
		}
		k.describe((*System)(pointer(a)))
	case callMemory:
		if !k.reach(a, uint64(unsafe.Sizeof(Memory{})), canWrite) {
			return efault
		}
		k.readMemory((*Memory)(pointer(a)))
	case callTouch:
		return k.touchUnaccepted()
	case callAcceptAll:
		if err := k.memory.tracker.Accept(k.memory.tracker.Bitmap.Span(), p.driver()); err != nil {
			k.fatal(err)
		}
	case callAskForQuote, callReadQuote:
		if !k.reach(a, uint64(unsafe.Sizeof(quoteRequest{})), canWrite) {
			return efault
		}
		if r := (*quoteRequest)(pointer(a)); nr == callAskForQuote {
			return k.askForQuote(p, r)
		} else {
			return k.readQuote(r)
		}
	case callSettle:
		for k.settled = a != 0; k.settled && k.accepting > 0; {
			k.unlock()
			pause()
			k.acquire(p)
		}
	case callHandOver:
		if b == 0 && k.memory.tracker.Unaccepted(k.memory.tracker.Bitmap.Span()) != 0 {
			return ebusy
		}
		const code = 2 * pageSize // as much as is mapped of the next one's
		next := accept.Range{Start: a &^ pageMask, End: a&^pageMask + code}
		if a >= linkBase-code || k.memory.tracker.Unaccepted(next) != 0 || !k.firmware.mapRange(a&^pageMask, a&^pageMask, code, size4K, k.encrypted) {
			return efault
		}
		k.stopOthers()
		k.enterFirmware()
		handOver(a, k.systemTable, k.table)
	}
	return 0
}

func (k *kernel) describe(s *System) {
	*s = System{
		Platform: Platform(k.kind), Memory: k.memory.total, Unaccepted: k.memory.unaccepted, UpFront: k.memory.upFront,
		Reply: uint64(k.answer.Reply), Status: uint64(k.answer.Status), ExitCalls: uint64(k.exit.Calls),
		Table: k.table, TSCHz: k.tscHz,
		Descriptors: k.exit.Map.Size / max(k.exit.Map.DescriptorSize, 1),
	}
	s.TableBytes = k.memory.tracker.Bitmap.Span().Len() / (8 * accept.UnitSize)
	if k.memory.tookOver {
		s.TookOver = 1
	}
	if k.acceptance == acceptUnknown {
		s.Unknown = 1
	}
}

// touchUnaccepted reads a byte of the highest unaccepted memory. On TDX and SEV-SNP it does not return: the guest has
// done what none may.
func (k *kernel) touchUnaccepted() uint64 {
	var last accept.Range
	for run := range k.memory.tracker.Bitmap.Runs(k.memory.tracker.Bitmap.Span()) {
		last = run
	}
	if last.Empty() {
		return 0
	}
	touch(directMap + last.End - accept.UnitSize)
	return 1
}
