//go:build linux && amd64

package kernel

import (
	"sync/atomic"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A TD that wants to prove to others what it is asks its host for a quote of a TDREPORT: Intel, GHCI 1.5, section 3.3,
// TDG.VP.VMCALL<GetQuote>, and Linux, drivers/virt/coco/tdx-guest/tdx-guest.c. What passes between them lies in memory that
// both can reach, and that is all that a TD of this kernel ever shares.

// Where the buffer is, and how large. abi has what is in it.
const (
	quoteOrder  = 1 // 8 KiB, as in Linux
	quoteBuffer = pageSize << quoteOrder
	quoteVA     = sharedPages + (maxProcessors+1)*pageSize

	reportBytes     = 1024
	reportDataBytes = 64
)

// A quoting is how far that has come.
type quoting struct {
	pa    uint64 // of the buffer; 0 before it is made
	lost  bool   // the host did not share it
	asked bool   // the host has the buffer
}

// A quoteRequest is what the program and the kernel exchange.
type quoteRequest struct {
	data  [reportDataBytes]byte
	n     uint64 // bytes of quote
	quote [quoteBuffer - abi.QuoteBody]byte
}

// askForQuote has the module report on the TD, and hands that to the host.
func (k *kernel) askForQuote(p *processor, r *quoteRequest) uint64 {
	q := &k.quoting
	switch {
	case k.kind != onTDX:
		return enosys
	case q.asked:
		return ebusy
	case !k.shareQuoteBuffer(p):
		return eio
	}
	private, ok := k.takeMemory(p, order4K)
	if !ok {
		return enomem
	}
	move(directMap+private+reportBytes, address(&r.data), reportDataBytes)
	call := registers(tdx.Registers{RAX: uint64(abi.LeafMRReport), RCX: private, RDX: private + reportBytes})
	tdx.Processor{}.TDCALL(call)
	ok = abi.Status(call.RAX) == abi.Success
	zero(quoteVA, quoteBuffer)
	move(quoteVA+abi.QuoteBody, directMap+private, reportBytes)
	k.giveMemory(private, order4K)
	if !ok {
		return eio
	}
	*at(quoteVA + abi.QuoteVersion) = abi.QuoteFormat
	*at(quoteVA + abi.QuoteBytesIn) = reportBytes
	bit := p.drivers.tdx.SharedBit
	if tdx.VMCall(tdx.Processor{}, abi.VMCallGetQuote, registers(tdx.Registers{R12: q.pa | bit, R13: quoteBuffer})) != abi.VMCallSuccess {
		return enosys // it has no attester
	}
	q.asked = true
	return 0
}

// readQuote looks whether the host has answered. What it says of sizes is read once, after it has said that it is done, and
// held against the buffer.
func (k *kernel) readQuote(r *quoteRequest) uint64 {
	q := &k.quoting
	if !q.asked {
		return einval
	}
	status := readOnce(quoteVA + abi.QuoteStatus)
	if status == abi.QuoteInFlight {
		return eagain
	}
	q.asked = false
	n, errno := quoteAnswer(status, readOnce(quoteVA+abi.QuoteBytesIn))
	if errno == 0 {
		move(address(&r.quote), quoteVA+abi.QuoteBody, n)
		r.n = n
	}
	return errno
}

// quoteAnswer says of a host's answer how many bytes of quote it has, or an error of Linux. It is given the status and the two
// sizes, of which the second, in the upper half, is the quote's.
func quoteAnswer(status, sizes uint64) (n, errno uint64) {
	n = sizes >> 32
	if status != 0 || n > quoteBuffer-abi.QuoteBody {
		return 0, eio
	}
	return n, 0
}

// readOnce reads memory that the host can write to. Of other reads the compiler may make two where it could keep what it has
// read, and the second may find another value than was checked.
func readOnce(va uint64) uint64 { return atomic.LoadUint64(at(va)) }

// shareQuoteBuffer makes the buffer the first time. Where the host does not share it, it may still be done with a part: the
// pages are kept from everything else, and never tried again (CVE-2024-36912).
func (k *kernel) shareQuoteBuffer(p *processor) bool {
	q := &k.quoting
	if q.pa != 0 || q.lost {
		return !q.lost
	}
	pa, ok := k.takeMemory(p, quoteOrder)
	if !ok {
		return false
	}
	q.lost = true
	d := &p.drivers.tdx
	if !k.tables.mapRange(quoteVA, pa|d.SharedBit, quoteBuffer, size4K, writable|k.noExecute) {
		return false
	}
	if d.MakeShared(accept.Range{Start: pa, End: pa + quoteBuffer}) != nil {
		return false
	}
	q.pa, q.lost = pa, false
	return true
}
