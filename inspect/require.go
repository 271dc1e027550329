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
	by      func(f *Firmware) Verdict // the same of firmware: that it can start such a guest, and leaves memory to it
}

// Requirements are all that there are.
var Requirements = []Requirement{
	{"tdx", "is a TDX guest and accepts memory there", func(k *Kernel) Verdict { return k.TDX.lazily() },
		func(f *Firmware) Verdict { return and(f.TDX.Guest.Verdict, f.TDX.Leaves.Verdict) }},
	{"snp", "is an SEV-SNP guest and accepts memory there", func(k *Kernel) Verdict { return k.SNP.lazily() },
		func(f *Firmware) Verdict { return and(f.SNP.Guest.Verdict, f.SNP.Leaves.Verdict) }},
	{"tdx-guest", "is a TDX guest", func(k *Kernel) Verdict { return k.TDX.Guest.Verdict },
		func(f *Firmware) Verdict { return f.TDX.Guest.Verdict }},
	{"snp-guest", "is an SEV-SNP guest", func(k *Kernel) Verdict { return k.SNP.Guest.Verdict },
		func(f *Firmware) Verdict { return f.SNP.Guest.Verdict }},
	{"negotiate", "tells firmware that it accepts memory, and no boot loader on the image is in the way", (*Kernel).Negotiated,
		func(f *Firmware) Verdict {
			return f.everywhere(func(p FirmwarePlatform) Verdict { return p.Negotiates.Verdict })
		}},
	{"lazy", "accepts memory when it needs it", func(k *Kernel) Verdict { return k.Lazy.Verdict },
		func(f *Firmware) Verdict {
			return f.everywhere(func(p FirmwarePlatform) Verdict { return p.Leaves.Verdict })
		}},
}

// everywhere tells whether something holds on each platform that the firmware is for. It is for one at least.
func (f *Firmware) everywhere(is func(p FirmwarePlatform) Verdict) Verdict {
	verdict, some := Yes, false
	for _, p := range []FirmwarePlatform{f.TDX, f.SNP} {
		if p.Guest.Verdict != No {
			verdict, some = and(verdict, and(p.Guest.Verdict, is(p))), true
		}
	}
	if !some {
		return No
	}
	return verdict
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

// Meets tells the same of firmware: whether it lets guests do what is required.
func (f *Firmware) Meets(r Requirement) Verdict { return r.by(f) }

func (p Platform) lazily() Verdict { return and(p.Guest.Verdict, p.Accepts.Verdict) }

// Negotiated tells whether the kernel asks firmware, and the loader that starts it lets it.
func (k *Kernel) Negotiated() Verdict {
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
