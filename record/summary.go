package record

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/tacit-vm/tacit/physical"
)

// WriteSummary writes the record as the table that a person reads at the end of a run.
func (r *Record) WriteSummary(w io.Writer) error {
	var b bytes.Buffer // so that there is one error to look at
	line(&b, "machine", FormatBytes(r.MemoryBytes), "platform "+r.Platform, r.Image.Kernel)
	r.acceptanceTable(&b)
	r.askedTable(&b)
	r.leftTable(&b)
	r.negotiationLine(&b)
	r.pathTable(&b)
	r.devicesLines(&b)
	line(&b, "virtual time", FormatNS(r.VirtualNS.Total), r.initText(), FormatCount(r.Instructions)+" instructions",
		r.CostModel)
	line(&b, "host time", FormatNS(r.Host.WallNS), fmt.Sprintf("%.1f MIPS", r.Host.MIPS), r.residentText())
	r.Attack.write(&b)
	r.Lie.write(&b)
	r.Detected.write(&b)
	line(&b, "outcome", string(r.Outcome), r.exitText())
	r.Diagnosis.write(&b)
	r.memoryLine(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// acceptanceTable says who accepted how much, when and in which pages. Its amounts of memory have one unit, in which
// all of them are whole.
func (r *Record) acceptanceTable(w io.Writer) {
	by := &r.Acceptance.By
	rows := []struct {
		who string
		a   AgentAcceptance
	}{{"firmware", by.Firmware}, {cmp.Or(by.Stub.Name, "EFI stub"), by.Stub}, {"kernel", by.Kernel}}
	total := AgentAcceptance{Sizes: map[string]Count{}}
	for _, row := range rows {
		total.add(row.a.Bytes, row.a.Operations)
		total.UntilInit.add(row.a.UntilInit.Bytes, row.a.UntilInit.Operations)
		total.AfterInit.add(row.a.AfterInit.Bytes, row.a.AfterInit.Operations)
		total.VirtualNS = addNS(total.VirtualNS, row.a.VirtualNS)
		for size, c := range row.a.Sizes {
			sum := total.Sizes[size]
			sum.add(c.Bytes, c.Operations)
			total.Sizes[size] = sum
		}
	}
	if total.Operations == 0 {
		line(w, "accepted", "nothing")
		return
	}
	unit, shift := "MiB", 20
	for _, row := range rows {
		if (row.a.UntilInit.Bytes|row.a.AfterInit.Bytes)&(1<<20-1) != 0 {
			unit, shift = "KiB", 10
		}
	}
	memory := func(n uint64) string { return FormatCount(n>>shift) + " " + unit }
	fmt.Fprintln(w)
	const longest = 40
	wide := 14
	for i := range rows {
		who := []rune(Printable(rows[i].who))
		if len(who) > longest {
			who = append(who[:longest-1], '…')
		}
		rows[i].who, wide = string(who), max(wide, len(who)+2)
	}
	format := fmt.Sprintf("%%-%ds%%14s%%14s%%14s%%14s%%14s  %%s\n", wide)
	fmt.Fprintf(w, format, "accepted by", "memory", "operations", "until init", "after init", "virtual time", "pages")
	for _, row := range append(rows, struct {
		who string
		a   AgentAcceptance
	}{"all", total}) {
		fmt.Fprintf(w, format, row.who, memory(row.a.Bytes), FormatCount(row.a.Operations),
			memory(row.a.UntilInit.Bytes), memory(row.a.AfterInit.Bytes), FormatNS(row.a.VirtualNS),
			pagesText(row.a.Sizes))
	}
	fmt.Fprintln(w)
}

// leftTable says what was not accepted at the moments that matter, and what the host and the guest's own books say.
func (r *Record) leftTable(w io.Writer) {
	a := &r.Acceptance
	left := func(when string, n *uint64, more ...string) {
		if n == nil {
			line(w, "not accepted", "?", when+" (not reached)")
			return
		}
		if r.MemoryBytes > 0 {
			when += fmt.Sprintf(" (%.1f %% of the memory)", 100*float64(*n)/float64(r.MemoryBytes))
		}
		line(w, "not accepted", FormatBytes(*n), append([]string{when}, more...)...)
	}
	left("at init", a.UnacceptedAtInit)
	left("at report", a.UnacceptedAtReport, r.booksText()...)
	left("at end", a.UnacceptedAtEnd)
	var added Count
	for _, c := range r.Added {
		added.add(c.Bytes, c.Operations)
	}
	if added.Operations > 0 {
		line(w, "added by host", FormatBytes(added.Bytes), pagesText(r.Added))
	}
	if exits := r.Calls[HostExit.String()].sum(); exits > 0 {
		var text []string
		for _, e := range []struct {
			of   Interface
			name string
		}{{VE, " #VE"}, {VC, " #VC"}} {
			if n := r.Calls[e.of.String()].sum(); n > 0 {
				text = append(text, FormatCount(n)+e.name)
			}
		}
		if n := r.Conversions[physical.Shared.String()]; n.Operations > 0 {
			text = append(text, FormatBytes(n.Bytes)+" made shared")
		}
		line(w, "host exits", FormatCount(exits), text...)
	}
}

// negotiationLine says what firmware and the operating system made out about unaccepted memory.
func (r *Record) negotiationLine(w io.Writer) {
	n := &r.Negotiation
	var text []string
	switch {
	case len(n.AllowedBy) > 0:
		text = append(text, "AllowUnacceptedMemory called by "+strings.Join(n.AllowedBy, ", "))
	case n.AcceptedAtExit > 0:
		text = append(text, "it was not called: firmware accepted "+FormatBytes(n.AcceptedAtExit)+" at ExitBootServices")
	case !n.Offered:
		return
	default:
		text = append(text, "offered, and not called")
	}
	line(w, "negotiation", r.Config.FirmwarePolicy, append(text, fmt.Sprintf("ExitBootServices called %d times", n.ExitBootServices))...)
}

func (r *Record) booksText() []string {
	var text []string
	if n := r.Acceptance.BitmapSetAtReport; n != nil {
		text = append(text, "by the guest's bitmap "+FormatBytes(*n))
	}
	if m := r.Guest.MemInfo; m != nil && m.Unaccepted != nil {
		said := "by its meminfo " + FormatBytes(*m.Unaccepted)
		if r.ToldToUseLess() {
			said += " of what its command line leaves it"
		}
		text = append(text, said)
	}
	return text
}

// exitText is the code that the guest ended with, if it did.
func (r *Record) exitText() string {
	if r.ExitCode == nil {
		return ""
	}
	return fmt.Sprintf("code %#x", *r.ExitCode)
}

func (r *Record) initText() string {
	if r.VirtualNS.Init == nil {
		return "init not reached"
	}
	return "init at " + FormatNS(*r.VirtualNS.Init)
}

func (r *Record) residentText() string {
	if r.Host.PeakRSSBytes == 0 {
		return ""
	}
	return fmt.Sprintf("%d MiB resident at most", r.Host.PeakRSSBytes>>20)
}

func (d *Diagnosis) write(w io.Writer) {
	if d == nil {
		return
	}
	detail := func(name, text string) {
		if text = Printable(strings.TrimSpace(text)); text != "" {
			fmt.Fprintf(w, "  %-13s %s\n", name, text)
		}
	}
	detail("what", d.Summary)
	detail("address", d.Place())
	detail("page", d.PageState)
	detail("at", d.At())
	if i := d.Instruction; i != nil {
		detail("instruction", i.Bytes+"  "+i.Text)
	}
	detail("advice", d.Advice)
}

// pagesText writes how many pages of each size, the larger first.
func pagesText(sizes map[string]Count) string {
	var text []string
	for size := physical.PageSizes; size > 0; size-- {
		if c := sizes[(size - 1).String()]; c.Operations > 0 {
			text = append(text, FormatCount(c.Operations)+" × "+(size-1).String())
		}
	}
	return strings.Join(text, ", ")
}

func (c Callees) sum() uint64 {
	var sum uint64
	for _, statuses := range c {
		for _, n := range statuses {
			sum += n
		}
	}
	return sum
}

// line writes a name, a value and what is to be said about it, all of which may be a guest's words.
func line(w io.Writer, name, value string, notes ...string) {
	var said []string
	for _, note := range notes {
		if note != "" {
			said = append(said, note)
		}
	}
	fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-14s%14s  %s", name, Printable(value), Printable(strings.Join(said, "; "))), " "))
}
