package page

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// head is what the page says first: what was booted, how that ended, and who had accepted how much.
type head struct {
	Title, Lead, End string

	Wrong []wrong // why the end was not a good one

	Bar     []part
	BarSays string
	Figures []figure
}

// wrong is a sentence of a diagnosis.
type wrong struct{ Name, Text string }

// A part of the bar is in thousandths of memory.
type part struct {
	From, Width float64
	Class       string
}

// A figure is an amount that counts.
type figure struct{ Class, Name, Amount, Note string }

func headOf(r *record.Record) head {
	h := head{Title: title(r), Lead: lead(r), End: end(r), Wrong: wrongs(r)}
	if !confidential(r) {
		return h
	}
	by := &r.Acceptance.By
	reached := r.VirtualNS.Init != nil
	from := 0.0
	says := []string{}
	for _, a := range []struct {
		class, name string
		*record.AgentAcceptance
	}{{"firmware", "by firmware", &by.Firmware}, {"stub", "by " + stubName(r), &by.Stub}, {"kernel", "by the kernel", &by.Kernel}} {
		n := a.Count
		if reached {
			n = a.UntilInit
		}
		width := thousandths(n.Bytes, r.MemoryBytes)
		if n.Bytes > 0 {
			width = max(width, 2) // so that it is seen
		}
		if width = min(width, 1000-from); width > 0 {
			h.Bar = append(h.Bar, part{from, width, a.class})
			from += width
		}
		h.Figures = append(h.Figures, figure{a.class, "accepted " + a.name, mib(n.Bytes), operations(n.Operations)})
		says = append(says, a.name+" "+mib(n.Bytes))
	}
	left, when := r.Acceptance.UnacceptedAtInit, "at init"
	if !reached {
		left, when = r.Acceptance.UnacceptedAtEnd, "at the end"
	}
	if left != nil {
		h.Figures = append(h.Figures, figure{"unaccepted", "not accepted", mib(*left), of(*left, r.MemoryBytes)})
		says = append(says, "not accepted "+mib(*left))
	}
	h.BarSays = "Memory " + when + ": " + strings.Join(says, ", ")
	return h
}

func thousandths(n, all uint64) float64 {
	if all == 0 {
		return 0
	}
	return float64(int64(1e4*float64(n)/float64(all))) / 10
}

// title is what was booted and where.
func title(r *record.Record) string {
	if !confidential(r) {
		return name(r) + ", " + platform(r)
	}
	return name(r) + " on " + platform(r)
}

// lead says what it accepted.
func lead(r *record.Record) string {
	by := &r.Acceptance.By
	var until, all uint64
	for _, a := range []*record.AgentAcceptance{&by.Firmware, &by.Stub, &by.Kernel} {
		until += a.UntilInit.Bytes
		all += a.Bytes
	}
	given := "The guest was given " + unbroken(record.FormatBytes(r.MemoryBytes)) + " of memory"
	switch {
	case !confidential(r):
		return given + ", all of it usable from the start: on this platform there is nothing to accept."
	case r.VirtualNS.Init != nil:
		return fmt.Sprintf("%s. When its first program started, after %s, %s of it had been accepted.",
			given, nanoseconds(*r.VirtualNS.Init), mib(until))
	}
	return fmt.Sprintf("%s, and had accepted %s of it when it ended. No program of its ever started.", given, mib(all))
}

// end says how it ended.
func end(r *record.Record) string {
	return fmt.Sprintf("It ended after %s: %s (%s).", nanoseconds(r.VirtualNS.Total), meaning(r.Outcome), r.Outcome)
}

// stubName is whom firmware started.
func stubName(r *record.Record) string {
	return clean(cmp.Or(r.Acceptance.By.Stub.Name, "EFI stub"), nameLength)
}

// wrongs are what the diagnosis says, what a host that cheats did, and what firmware lied about.
func wrongs(r *record.Record) []wrong {
	var all []wrong
	add := func(name, text string) {
		if text = strings.TrimSpace(text); text != "" {
			all = append(all, wrong{name, clean(text, wordsLength)})
		}
	}
	if d := r.Diagnosis; d != nil {
		add("", d.Summary)
		add("Address", d.Place())
		add("State of the page", d.PageState)
		add("Instruction at", d.At())
		if i := d.Instruction; i != nil {
			add("Instruction", i.Bytes+" "+i.Text)
		}
		add("What to do", d.Advice)
	}
	if a := r.Attack; a != nil {
		if len(a.Steps) == 0 {
			add("Attack by the host", a.Kind+": never happened, since there was no opportunity")
		}
		for _, s := range a.Steps[:min(len(a.Steps), 20)] {
			add("Attack by the host", a.Kind+": "+s.String())
		}
	}
	if l := r.Lie; l != nil {
		text := l.Kind + ": never told, since there was no opportunity"
		if l.Told > 0 {
			text = l.Kind + ": " + l.String()
		}
		add("Lie of firmware’s", text)
	}
	return all
}
