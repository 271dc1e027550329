package snp

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/snp/abi"
)

// maxStalls is how often the host may return from a page state change without having done anything, in a row. Hosts
// return early where something else is to be done on the processor.
const maxStalls = 16

// changeState has the host make the pages of a part private or shared.
func (d *Driver) changeState(part accept.Range, op abi.PSCOperation) bool {
	if !d.registered {
		return d.changeStateByMSR(part.Start, op)
	}
	last := d.putEntries(part, op)
	var at progress
	for stalls := 0; at.entry <= last; {
		d.GHCB.Clear()
		d.GHCB.Set(abi.GHCBSWScratch, d.GHCB.GPA+abi.GHCBSharedBuffer)
		reply := d.GHCB.Exit(d.Instructions, abi.EventPSC, 0, 0)
		if !reply.OK() || reply.Info2 != 0 {
			d.err = Error{Cause: Refused, GPA: at.gpa(part), Info1: reply.Info1, Info2: reply.Info2}
			return false
		}
		next, header, ok := d.progress(last)
		switch {
		case !ok || next.before(at):
			d.err = Error{Cause: Inconsistent, GPA: at.gpa(part), Header: header}
			return false
		case next != at:
			at, stalls = next, 0
		default:
			if stalls++; stalls > maxStalls {
				d.err = Error{Cause: Stalled, GPA: at.gpa(part), Header: header}
				return false
			}
		}
	}
	return true
}

// changeStateByMSR has the host make a 4 KiB page private or shared.
func (d *Driver) changeStateByMSR(gpa uint64, op abi.PSCOperation) bool {
	response := Request(d.Instructions, abi.PSCRequest(gpa, op))
	if response&abi.CodeMask != uint64(abi.CodePSC) || abi.ResponseError(response) != 0 {
		d.err = Error{Cause: Refused, GPA: gpa, Info1: response}
		return false
	}
	return true
}

// putEntries writes the request for a part to the GHCB's shared buffer and returns the index of the last entry.
func (d *Driver) putEntries(part accept.Range, op abi.PSCOperation) (last int) {
	n := 0
	for gpa := part.Start; gpa < part.End; n++ {
		size := sizeAt(gpa, part.End)
		put64(d.GHCB.Page[entryAt(n):], uint64(abi.PSCEntryOf(gpa, size, op)))
		gpa += size.Bytes()
	}
	put64(d.GHCB.Page[abi.GHCBSharedBuffer:], uint64(abi.PSCHeaderOf(0, n-1)))
	return n - 1
}

// entryAt returns where in the GHCB an entry is.
func entryAt(n int) int { return abi.GHCBSharedBuffer + abi.PSCHeaderSize + n*abi.PSCEntrySize }

// progress is how far the host has come: the entry that it is at, and how many 4 KiB of that one are done.
type progress struct {
	entry int
	done  uint64
}

func (p progress) before(q progress) bool {
	return p.entry < q.entry || p.entry == q.entry && p.done < q.done
}

// gpa returns the address that it has come to.
func (p progress) gpa(part accept.Range) uint64 {
	gpa := part.Start
	for range p.entry {
		gpa += sizeAt(gpa, part.End).Bytes()
	}
	return gpa + p.done*accept.PageSize
}

// progress reads how far the host says it has come. ok is false where it cannot have.
//
// Nothing else of the structure is read: what the host does to its entries it does to itself, since PVALIDATE says what
// has become of the pages.
func (d *Driver) progress(last int) (p progress, header abi.PSCHeader, ok bool) {
	header = abi.PSCHeader(d.GHCB.Get(abi.GHCBSharedBuffer))
	p.entry = header.Current()
	if header.Reserved() != 0 || header.Last() != last || p.entry > last+1 {
		return p, header, false
	}
	if p.entry <= last {
		p.done = abi.PSCEntry(d.GHCB.Get(entryAt(p.entry))).Done()
	}
	return p, header, p.done <= abi.Size2M.Bytes()/accept.PageSize
}
