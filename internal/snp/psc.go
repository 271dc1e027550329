package snp

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A pscEntry is an entry of a request as the host works on it.
type pscEntry abi.PSCEntry

func (e pscEntry) done() uint64 { return abi.PSCEntry(e).Done() }
func (e pscEntry) gpa() uint64  { return abi.PSCEntry(e).GPA() }

func (e pscEntry) operation() abi.PSCOperation { return abi.PSCEntry(e).Operation() }

func (e pscEntry) size() physical.PageSize {
	if abi.PSCEntry(e).Size() == abi.Size2M {
		return physical.Size2M
	}
	return physical.Size4K
}

// start is the address of the first page that is not done, end that after the last one.
func (e pscEntry) start() uint64 { return e.gpa() + e.done()*mem.PageSize }
func (e pscEntry) end() uint64   { return e.gpa() + e.size().Bytes() }

func (e pscEntry) valid() bool {
	return e.start() <= e.end() && e.gpa()%e.size().Bytes() == 0
}

func pscPlane(operation abi.PSCOperation) (physical.Plane, bool) {
	switch operation {
	case abi.PSCPrivate:
		return physical.Private, true
	case abi.PSCShared:
		return physical.Shared, true
	}
	return 0, false
}

// pageStateChange is SNP Page State Change (KVM, snp_begin_psc). The structure tells the guest how far the host has
// come, so that it can ask for the rest. Operations other than to private and to shared are hints, and are done by
// doing nothing.
func pageStateChange(p *Platform, c *x86.CPU, q *request) (reply, error) {
	b := p.buffer(q, abi.PSCHeaderSize)
	if b == nil {
		return malformed(abi.InvalidScratchArea), nil
	}
	header := abi.PSCHeader(binary.LittleEndian.Uint64(b))
	cur, last := header.Current(), header.Last()
	if last >= abi.PSCMaxEntries {
		return success(uint64(abi.PSCInvalidHeader)), nil
	}
	if b = p.buffer(q, uint64(abi.PSCHeaderSize+(last+1)*abi.PSCEntrySize)); b == nil {
		return malformed(abi.InvalidScratchArea), nil
	}
	s := pscRun{entries: make([]pscEntry, last+1)}
	for i := range s.entries {
		s.entries[i] = pscEntry(binary.LittleEndian.Uint64(b[abi.PSCHeaderSize+i*abi.PSCEntrySize:]))
	}
	s.next = min(cur, len(s.entries))
	result := p.runPSC(c, &s)
	if result == 0 && s.next < len(s.entries) {
		p.call(c, record.GHCB, "SNP Page State Change, in part", "")
	}
	if cur < len(s.entries) {
		binary.LittleEndian.PutUint16(b, uint16(s.next))
	}
	for i, e := range s.entries {
		binary.LittleEndian.PutUint64(b[abi.PSCHeaderSize+i*abi.PSCEntrySize:], uint64(e))
	}
	p.flush(q, b)
	return success(uint64(result)), nil
}

// A pscRun is a request under way.
type pscRun struct {
	entries []pscEntry
	next    int // the first that is not done
}

// runPSC works on the entries until they are done, the host stops early, or one is wrong. It returns the error for the
// guest.
func (p *Platform) runPSC(c *x86.CPU, s *pscRun) abi.PSCError {
	for s.next < len(s.entries) {
		e := s.entries[s.next]
		to, known := pscPlane(e.operation())
		switch {
		case !e.valid():
			return abi.PSCInvalidEntry
		case !known || e.start() == e.end():
			s.progress(e.end())
			continue
		}
		end := s.contiguous()
		next, ok := p.host.ChangePageState(c, e.start(), end, e.size(), to)
		next = max(e.start(), min(next, end)) &^ (mem.PageSize - 1)
		s.progress(next)
		switch {
		case !ok:
			return abi.PSCGeneric
		case next < end:
			return 0
		}
	}
	return 0
}

// contiguous returns the end of the memory that the next entry and those after it cover in one stretch, asking for the
// same in the same size: the host gets it in one call, as KVM's user space does.
func (s *pscRun) contiguous() uint64 {
	first := s.entries[s.next]
	end := first.end()
	for _, e := range s.entries[s.next+1:] {
		if e.operation() != first.operation() || e.size() != first.size() || e.start() != end {
			break
		}
		end = e.end()
	}
	return end
}

// progress marks pages as done, from the next entry's first one up to address to.
func (s *pscRun) progress(to uint64) {
	for s.next < len(s.entries) {
		e := &s.entries[s.next]
		if to < e.end() {
			*e += pscEntry((to - e.start()) / mem.PageSize)
			return
		}
		end := e.end()
		*e = *e&^abi.PSCEntryDone | pscEntry(e.size().Bytes()/mem.PageSize)
		s.next++
		if to == end {
			return
		}
	}
}
