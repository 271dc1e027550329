package inspect

import "slices"

// Verdict answers a question about a kernel.
type Verdict string

const (
	Yes     Verdict = "yes"
	No      Verdict = "no"
	Unknown Verdict = "unknown"
)

// Strength is what kind of thing a piece of evidence is. A stronger kind decides against a weaker one.
type Strength string

// The kinds of evidence, the strongest first. Only the first two, and the configuration that a kernel carries in
// itself, can decide a question. The rest supports or doubts: text can be anywhere, and a configuration beside a kernel
// may be that of another one.
const (
	Code     Strength = "code"     // instructions that an entry point leads to
	Symbols  Strength = "symbols"  // functions that the unpacked kernel has
	Embedded Strength = "embedded" // the configuration inside the kernel (CONFIG_IKCONFIG)
	Metadata Strength = "metadata" // what firmware tells the VMM that starts it
	Strings  Strength = "strings"  // messages beside the packed kernel
	Config   Strength = "config"   // a configuration file that came with the kernel
	Version  Strength = "version"  // what the release of that number has; distributions add to releases
)

var strengths = []Strength{Code, Symbols, Embedded, Metadata, Strings, Config, Version}

// Evidence is one reason for a verdict, or against it.
type Evidence struct {
	Strength Strength `json:"strength"`
	Says     Verdict  `json:"says"`
	What     string   `json:"what"`
	Offsets  []int64  `json:"offsets"` // of what was found in the kernel's file, in bytes; the first is the main one
}

// Finding is the answer to one question with all evidence that was found, the strongest first.
type Finding struct {
	Verdict  Verdict    `json:"verdict"`
	Evidence []Evidence `json:"evidence"`
}

// decide lets the strongest evidence that says yes or no answer, if it is at least as strong as it must be.
func decide(least Strength, evidence ...Evidence) Finding {
	rank := func(s Strength) int { return slices.Index(strengths, s) }
	slices.SortStableFunc(evidence, func(a, b Evidence) int { return rank(a.Strength) - rank(b.Strength) })
	f := Finding{Unknown, evidence}
	for _, e := range evidence {
		if rank(e.Strength) > rank(least) {
			break
		}
		if e.Says != Unknown {
			f.Verdict = e.Says
			break
		}
	}
	if f.Evidence == nil {
		f.Evidence = []Evidence{}
	}
	return f
}

// Disputed returns the evidence that says the opposite of the verdict.
func (f Finding) Disputed() []Evidence {
	var against []Evidence
	for _, e := range f.Evidence {
		if f.Verdict == Yes && e.Says == No || f.Verdict == No && e.Says == Yes {
			against = append(against, e)
		}
	}
	return against
}

// Strongest returns the evidence that decided; nil if none did.
func (f Finding) Strongest() *Evidence {
	for i, e := range f.Evidence {
		if e.Says == f.Verdict && f.Verdict != Unknown {
			return &f.Evidence[i]
		}
	}
	return nil
}

func evidence(strength Strength, says Verdict, what string, offsets ...int64) Evidence {
	if offsets == nil {
		offsets = []int64{}
	}
	return Evidence{strength, says, what, offsets}
}
