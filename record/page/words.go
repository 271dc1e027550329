package page

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// clean is a stranger's word as one line of text, of so many characters at most.
func clean(text string, most int) string {
	const widest = 10 // bytes of one character as Printable writes it
	if len(text) > most*widest {
		text = text[:most*widest]
	}
	runes := []rune(record.Printable(text))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// A budget is how many bytes of the page are left for something that a guest decides the length of.
type budget int

// markup takes what text takes in the page's tables, with so many bytes of tags around it, and says whether there was room.
func (b *budget) markup(text string, tags int) bool {
	return b.take(len(html.EscapeString(text)) + tags)
}

// json takes what text takes as JSON that can stand in a page.
func (b *budget) json(text string) bool {
	encoded, err := json.Marshal(text)
	return err == nil && b.take(len(encoded)+1)
}

func (b *budget) take(n int) bool {
	*b -= budget(n)
	return *b >= 0
}

// Lengths of words from outside.
const (
	nameLength     = 80
	functionLength = 120
	wordsLength    = 1000
)

// name is what was booted.
func name(r *record.Record) string {
	if r.Image.Kernel == "" {
		return "a guest"
	}
	return clean(r.Image.Kernel, nameLength)
}

// unbroken is a number with its unit, between which no line ends.
func unbroken(text string) string { return strings.ReplaceAll(text, " ", "\u00a0") }

// nanoseconds is a virtual time.
func nanoseconds(ns int64) string { return unbroken(record.FormatNS(ns)) }

// mib is an amount of memory in the unit in which amounts of one run compare at a glance.
func mib(n uint64) string {
	switch {
	case n&(1<<20-1) == 0:
		return unbroken(record.FormatCount(n>>20) + " MiB")
	case n < 1<<20:
		return unbroken(record.FormatCount(n>>10) + " KiB")
	}
	return fmt.Sprintf("%s.%d\u00a0MiB", record.FormatCount(n>>20), n&(1<<20-1)*10>>20)
}

// of is a part of memory in percent, or nothing where that says nothing.
func of(n, memory uint64) string {
	if memory == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %% of memory", 100*float64(n)/float64(memory))
}

// times says how often.
func times(n uint64) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	}
	return record.FormatCount(n) + " times"
}

// operations says how many.
func operations(n uint64) string {
	if n == 1 {
		return "1 operation"
	}
	return record.FormatCount(n) + " operations"
}

// platforms are the platforms' names in words.
var platforms = map[string]string{"tdx": "Intel TDX", "snp": "AMD SEV-SNP", "none": "without memory encryption"}

// confidential says whether the guest has to accept its memory.
func confidential(r *record.Record) bool { return r.Platform != "none" }

func platform(r *record.Record) string {
	if words := platforms[r.Platform]; words != "" {
		return words
	}
	return clean(r.Platform, nameLength)
}

// meaning is what an outcome means.
func meaning(o record.Outcome) string {
	for _, known := range record.Outcomes() {
		if known.Outcome == o {
			return known.Meaning
		}
	}
	return string(o)
}

// phaseWords are what each phase is called on the page, and what it is; the last is for where memory has to be accepted.
var phaseWords = map[record.Phase]struct{ name, means, acceptance string }{
	record.FirmwareStart:    {"firmware", "The machine starts. Firmware loads the image.", "It accepts some memory before that, so that it and the image have room."},
	record.StubEntry:        {"EFI stub", "The first instruction of the image: of a kernel, its EFI stub, which unpacks it and asks firmware for the memory map.", ""},
	record.ExitBootServices: {"ExitBootServices", "The image tells firmware that it takes over: until here it can still ask firmware.", "From here on all memory is its own to accept."},
	record.KernelEntry:      {"kernel", "The first instruction of the operating system itself.", ""},
	record.Init:             {"init", "The first instruction of a program: the operating system is up. It is the moment at which boots are compared.", ""},
	record.Report:           {"report", "The guest’s program reads how much memory its kernel says there is.", ""},
	record.End:              {"end", "The machine stops.", ""},
}

func instants(r *record.Record) []instant {
	var all []instant
	for _, p := range r.Phases {
		all = append(all, instant{p.VirtualNS, phaseWords[p.Phase].name})
	}
	return all
}
