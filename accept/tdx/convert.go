package tdx

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// maxStalls is how often the host may ask for a retry without having come any further: as often as Linux lets it.
const maxStalls = 3

// MakeShared has the host map r as shared memory, whose ends are multiples of [accept.PageSize]. What was there is lost.
// The guest reaches it at addresses with [Driver.SharedBit] set, and changes its page tables before it calls this:
// until then the pages are private and stay so. Its error is an [*Error].
func (d *Driver) MakeShared(r accept.Range) error { return d.mapGPA(r, d.SharedBit) }

// MakePrivate has the host take shared memory back, and accepts it. Page tables change afterwards. Memory that has never
// been shared needs no more than [Driver.Accept].
func (d *Driver) MakePrivate(r accept.Range) error {
	if err := d.mapGPA(r, 0); err != nil {
		return err
	}
	return d.Accept(r)
}

// mapGPA is TDG.VP.VMCALL<MapGPA>. The host keeps a call short by asking for a retry after an address.
func (d *Driver) mapGPA(r accept.Range, bit uint64) error {
	for stalls := 0; r.Start < r.End; {
		d.regs = Registers{R12: r.Start | bit, R13: r.End - r.Start}
		answer := VMCall(d.Instructions, abi.VMCallMapGPA, &d.regs)
		next := d.regs.R11 &^ d.SharedBit
		switch {
		case answer == abi.VMCallSuccess:
			return nil
		case answer != abi.VMCallRetry, next%accept.PageSize != 0, next < r.Start, next >= r.End:
			return d.failed(Error{GPA: r.Start, Status: abi.Status(d.regs.RAX), Host: answer})
		case next > r.Start:
			r.Start, stalls = next, 0
		default:
			if stalls++; stalls > maxStalls {
				return d.failed(Error{GPA: r.Start, Host: answer})
			}
		}
	}
	return nil
}
