package attack

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A TD has itself quoted by its host, which answers in memory that both can write to, when it likes.

// GetQuote answers TDG.VP.VMCALL<GetQuote>. A host that attacks something else has no attester.
func (h *TD) GetQuote(c *x86.CPU, gpa, size uint64) abi.VMCallStatus {
	h.exits(c)
	if !h.begun || h.tactic.quote == nil {
		return abi.VMCallSubfuncUnsupported
	}
	if size < mem.PageSize || (gpa|size)%mem.PageSize != 0 || size > maxQuote {
		return abi.VMCallInvalidOperand
	}
	if !h.from() {
		return abi.VMCallSubfuncUnsupported
	}
	h.tactic.quote(h.Host, c, gpa, size)
	return abi.VMCallSuccess
}

// maxQuote is the largest buffer that is answered, in bytes: Linux has up to 128 KiB.
const maxQuote = 1 << 20

// answerQuote leaves a quote of bytes of the host's own, with a status and a length, and notes for how many there is room.
func (h *Host) answerQuote(c *x86.CPU, what string, gpa, size, status uint64, length uint32, room uint64) {
	b := marks(int(size))
	le := binary.LittleEndian
	le.PutUint64(b[abi.QuoteVersion:], abi.QuoteFormat)
	le.PutUint64(b[abi.QuoteStatus:], status)
	le.PutUint32(b[abi.QuoteBytesIn:], 0)
	le.PutUint32(b[abi.QuoteBytesOut:], length)
	err := h.writeShared(gpa, b)
	h.step(c, what, err)
	if n := len(h.steps); n > 0 {
		h.steps[n-1].GPA, h.steps[n-1].Bytes = record.Address(gpa+abi.QuoteBody), room
	}
}

// longQuote says that the quote is longer than the buffer.
func longQuote(h *Host, c *x86.CPU, gpa, size uint64) {
	const more = 8 << 10
	h.answerQuote(c, "said that its quote is longer than the buffer", gpa, size, 0, uint32(size+more), size-abi.QuoteBody)
}

// failedQuote says that there is no quote, and leaves one.
func failedQuote(h *Host, c *x86.CPU, gpa, size uint64) {
	h.answerQuote(c, "said that it has failed to make a quote, and of how many bytes that is", gpa, size, abi.QuoteError, abi.QuoteBody, 0)
}

// noQuote has the guest wait for ever.
func noQuote(h *Host, c *x86.CPU, gpa, _ uint64) {
	h.step(c, "took a request for a quote, and never answered", h.writeShared(gpa+abi.QuoteStatus, inFlight()))
}

func inFlight() []byte { return binary.LittleEndian.AppendUint64(nil, abi.QuoteInFlight) }

// laterQuote takes the request, and answers it when the host sees the guest look for an answer: it watches what that reads then.
func laterQuote(h *Host, _ *x86.CPU, gpa, size uint64) {
	if h.writeShared(gpa+abi.QuoteStatus, inFlight()) == nil {
		h.target, h.last, h.stage = gpa&address, size, added
	}
}

// lengthRead changes the length of a quote once the guest has read it.
func lengthRead(h *Host, c *x86.CPU, gpa uint64, write bool) {
	at := gpa - h.target
	switch {
	case write:
	case h.stage == added:
		h.stage, h.fetched = changed, fetched{}
		h.answerQuote(c, "answered a request for a quote while the guest waited", h.target, h.last, 0, abi.QuoteBody, h.last-abi.QuoteBody)
	case at >= abi.QuoteBytesIn && at < abi.QuoteBody:
		h.readTwice(c, gpa, "the length of its quote")
	}
}
