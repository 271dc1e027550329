package record

import (
	"cmp"
	"fmt"
	"io"
	"math/bits"

	"github.com/tacit-vm/tacit/internal/state"
)

// Detected is what a guest did that lets a host deceive it, whether or not one has.
type Detected struct {
	// AcceptedTwice is memory that the guest accepted although it had accepted it before, and had not given it back since.
	// On TDX its contents are lost; on SEV-SNP a host may have put another page there. Where and At say of the first: the page,
	// and the instruction.
	AcceptedTwice Count   `json:"accepted_twice"`
	Where         Address `json:"where"`
	At            Address `json:"at"`

	// Ignored is how often the guest was told that a page is accepted already (SEV-SNP: PVALIDATE with CF; TDX:
	// PAGE_ALREADY_ACCEPTED), and went on: it accepted more, or switched itself off in the end.
	Ignored uint64 `json:"ignored"`

	// UsedAfterRemoval is how often the guest touched memory that it had accepted and not given back, and that was not
	// accepted any more: the host has taken it away. What comes of it is the architecture's promise; this says that the guest
	// relied on it.
	UsedAfterRemoval uint64 `json:"used_after_removal"`

	// Told is how often the guest passed its host a register that a call does not need, and that was not 0 (TDG.VP.VMCALL):
	// whatever was in it the host knows. ToldFirst says which, of which call, by the instruction at which address.
	Told      uint64 `json:"told"`
	ToldFirst string `json:"told_first"`

	// NumberedAgain is how often the guest sent the secure processor a message under a number that an earlier one had, and that
	// was not that message again (SEV-SNP): both are encrypted with the same key stream.
	NumberedAgain uint64 `json:"numbered_again"`

	// IdleVMSAs is how many pages are marked as a VMSA in the end that no processor runs from (SEV-SNP): a host can run a
	// processor from each.
	IdleVMSAs uint64 `json:"idle_vmsas"`
}

// write says what was detected, where there is anything.
func (d *Detected) write(w io.Writer) {
	if n := d.AcceptedTwice; n.Bytes != 0 {
		line(w, "accepted twice", FormatBytes(n.Bytes), fmt.Sprintf("%d operations; the first at %#x, by the instruction at %#x", n.Operations, uint64(d.Where), uint64(d.At)))
	}
	if d.Ignored != 0 {
		line(w, "ignored", fmt.Sprintf("%d times that a page was accepted already", d.Ignored))
	}
	if d.UsedAfterRemoval != 0 {
		line(w, "used", fmt.Sprintf("%d times what it had accepted and the host had taken away", d.UsedAfterRemoval))
	}
	if d.Told != 0 {
		line(w, "told", fmt.Sprintf("%d registers that the host does not need; the first: %s", d.Told, d.ToldFirst))
	}
	if d.NumberedAgain != 0 {
		line(w, "numbered again", fmt.Sprintf("%d messages to the secure processor, under a number that another has had", d.NumberedAgain))
	}
	if d.IdleVMSAs != 0 {
		line(w, "VMSAs", fmt.Sprintf("%d that no processor runs from, and a host can run", d.IdleVMSAs))
	}
}

// A detector notices it.
type detector struct {
	Detected
	taken taken
	told  uint64 // that a page is accepted already, since the last acceptance
}

func (d *detector) accept(e Accepted) {
	if again := d.taken.add(uint64(e.GPA), e.Bytes); again > 0 {
		if d.AcceptedTwice.Operations == 0 {
			d.Where, d.At = e.GPA, e.RIP
		}
		d.AcceptedTwice.add(again, 1)
	}
	d.wentOn()
}

func (d *detector) wentOn() {
	d.Ignored += d.told
	d.told = 0
}

// Statuses that say so, as the platforms name them.
const (
	alreadyValidated = "SUCCESS, CF"
	alreadyAccepted  = "TDX_PAGE_ALREADY_ACCEPTED"
)

func (d *detector) call(status string) {
	if status == alreadyValidated || status == alreadyAccepted {
		d.told++
	}
}

// Refuse tells the Log of an access by an instruction of the guest's to private memory at gpa that is not accepted.
func (l *Log) Refuse(gpa Address) {
	if l != nil && l.detector.taken.has(uint64(gpa)) {
		l.detector.UsedAfterRemoval++
	}
}

// GiveBack tells the Log that the guest has given memory back without a conversion: it counts as not accepted.
func (l *Log) GiveBack(gpa Address, bytes uint64) {
	if l != nil {
		l.detector.taken.remove(uint64(gpa), bytes)
	}
}

// Tell tells the Log that the guest has passed its host a register that a call does not need.
func (l *Log) Tell(register, call string, rip Address) {
	if l == nil {
		return
	}
	d := &l.detector.Detected
	if d.Told++; d.Told == 1 {
		d.ToldFirst = fmt.Sprintf("%s of %s, by the instruction at %#x", register, call, uint64(rip))
	}
}

// NumberAgain tells the Log that the guest has sent the secure processor another message under an earlier one's number.
func (l *Log) NumberAgain() {
	if l != nil {
		l.detector.NumberedAgain++
	}
}

// WentOn tells the Log that the guest has come to its end by itself: what it was told did not keep it from that.
func (l *Log) WentOn() {
	if l != nil {
		l.detector.wentOn()
	}
}

// taken are pages of 4 KiB: those of whole 2 MiB as bits, of others a bit each. It takes 256 KiB for 4 TiB.
type taken struct {
	whole []uint64
	parts map[uint64]unitPages // by number of the unit; none of them is whole
}

// unitPages are those of a unit, a bit each.
type unitPages [pagesOfUnit / 64]uint64

const (
	pageBytes   = 4096
	pagesOfUnit = 512
	maxUnits    = 1 << 24 // 32 TiB, more than any machine has
)

// add adds pages and returns how many bytes of them were there before.
func (t *taken) add(start, bytes uint64) (again uint64) {
	t.each(start, bytes, func(unit uint64, first, after int) {
		again += uint64(t.unit(unit, first, after, true)) * pageBytes
	})
	return again
}

// remove takes pages out.
func (t *taken) remove(start, bytes uint64) {
	t.each(start, bytes, func(unit uint64, first, after int) { t.unit(unit, first, after, false) })
}

// has says whether the page at an address is there.
func (t *taken) has(at uint64) bool {
	page := at / pageBytes
	unit, page := page/pagesOfUnit, page%pagesOfUnit
	if word := unit / 64; word < uint64(len(t.whole)) && t.whole[word]>>(unit%64)&1 != 0 {
		return true
	}
	part, some := t.parts[unit]
	return some && part[page/64]>>(page%64)&1 != 0
}

func (t *taken) each(start, bytes uint64, f func(unit uint64, first, after int)) {
	for page, after := start/pageBytes, (start+bytes)/pageBytes; page < after; {
		unit := page / pagesOfUnit
		end := min(after, (unit+1)*pagesOfUnit)
		if unit < maxUnits {
			f(unit, int(page%pagesOfUnit), int(end-unit*pagesOfUnit))
		}
		page = end
	}
}

// unit adds pages [first, after) of a unit or takes them out, and returns how many of them were there.
func (t *taken) unit(unit uint64, first, after int, add bool) (were int) {
	word, bit := unit/64, uint64(1)<<(unit%64)
	whole := word < uint64(len(t.whole)) && t.whole[word]&bit != 0
	all := first == 0 && after == pagesOfUnit
	part, some := t.parts[unit]
	switch {
	case whole && add:
		return after - first
	case !some && add && all:
		t.setWhole(unit)
		return 0
	case whole:
		t.whole[word] &^= bit
		if all {
			return pagesOfUnit
		}
		for i := range part {
			part[i] = ^uint64(0)
		}
	case !some && !add:
		return 0
	}
	n := 0
	for page := first; page < after; page++ {
		w, b := &part[page/64], uint64(1)<<(page%64)
		if *w&b != 0 {
			were++
		}
		if *w |= b; !add {
			*w &^= b
		}
	}
	for _, w := range part {
		n += bits.OnesCount64(w)
	}
	delete(t.parts, unit)
	switch {
	case n == pagesOfUnit:
		t.setWhole(unit)
	case n > 0:
		if t.parts == nil {
			t.parts = map[uint64]unitPages{}
		}
		t.parts[unit] = part
	}
	return were
}

func (t *taken) setWhole(unit uint64) {
	for uint64(len(t.whole)) <= unit/64 {
		t.whole = append(t.whole, 0)
	}
	t.whole[unit/64] |= 1 << (unit % 64)
}

func (d *detector) carry(s *state.Stream) {
	d.AcceptedTwice.carry(s)
	state.Numbers(s, &d.Where, &d.At)
	state.Numbers(s, &d.Ignored, &d.UsedAfterRemoval, &d.told, &d.Told, &d.NumberedAgain, &d.IdleVMSAs)
	state.String(s, &d.ToldFirst, maxStateText)
	state.Slice(s, &d.taken.whole, maxUnits/64, func(w *uint64) { state.Numbers(s, w) })
	if d.taken.parts == nil {
		d.taken.parts = map[uint64]unitPages{}
	}
	state.Map(s, d.taken.parts, maxUnits, cmp.Compare[uint64], func(unit *uint64, part *unitPages) {
		state.Numbers(s, unit)
		state.Array(s, part[:])
	})
}
