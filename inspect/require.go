package inspect

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement is something that a kernel must fulfil to be admitted.
type Requirement struct {
	Name    string
	Meaning string
	met     func(k *Kernel) Verdict
}

// Requirements are all that there are.
var Requirements = []Requirement{
	{"tdx", "is a TDX guest and accepts memory there", func(k *Kernel) Verdict { return k.TDX.lazily() }},
	{"snp", "is an SEV-SNP guest and accepts memory there", func(k *Kernel) Verdict { return k.SNP.lazily() }},
	{"tdx-guest", "is a TDX guest", func(k *Kernel) Verdict { return k.TDX.Guest.Verdict }},
	{"snp-guest", "is an SEV-SNP guest", func(k *Kernel) Verdict { return k.SNP.Guest.Verdict }},
	{"negotiate", "tells firmware that it accepts memory, and no boot loader on the image is in the way", (*Kernel).negotiated},
	{"lazy", "accepts memory when it needs it", func(k *Kernel) Verdict { return k.Lazy.Verdict }},
}

// ParseRequirements reads names separated by commas.
func ParseRequirements(text string) (all []Requirement, err error) {
	for name := range strings.SplitSeq(text, ",") {
		i := slices.IndexFunc(Requirements, func(r Requirement) bool { return r.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("%q is not a requirement", name)
		}
		all = append(all, Requirements[i])
	}
	return all, nil
}

// Meets tells whether the kernel fulfils a requirement.
func (k *Kernel) Meets(r Requirement) Verdict { return r.met(k) }

func (p Platform) lazily() Verdict { return and(p.Guest.Verdict, p.Accepts.Verdict) }

// negotiated: the kernel asks firmware, and whoever starts it lets it.
func (k *Kernel) negotiated() Verdict {
	verdict := k.Negotiates.Verdict
	if len(k.Boots) > 0 {
		verdict = and(verdict, k.Stub())
	}
	if k.incomplete != "" { // something in the way may be in what was not read
		verdict = and(verdict, Unknown)
	}
	return verdict
}

func and(a, b Verdict) Verdict {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Unknown
}
