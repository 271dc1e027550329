package study

import (
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/compare"
)

// words are what has to be known to read the table, a paragraph each.
func (s *Study) words() []string {
	base := "the first variant of the block"
	if s.ByImage {
		base = "the first image of the block"
	}
	all := []string{
		"init and end are virtual times, by " + strings.Join(s.models(), " and ") + ": most numbers of the cost models are estimates, and figures " +
			"of two models do not compare. times is init against " + base + ". host memory is what the host gave the guest as private memory.",
	}
	if !s.anyEager() {
		return all
	}
	all = append(all,
		"eager : lazy is init where all memory is accepted first, against init of the lazy guest with the same host pages. range is "+
			"what this ratio can become while each number that is an estimate is anywhere between half and double, all of them at once; "+
			"what was counted is priced again for it, and nothing is run again, so it leaves out that with other costs the guest's timer "+
			"would have ticked more or less often.")
	if s.hasOwn() {
		all = append(all, "Tacit's own guest does next to nothing before its program starts: accepting is nearly all there is, and eager : lazy comes near to "+
			"all memory against what firmware accepts up front. It is no measure for a Linux.")
	}
	if s.hasSeries() {
		all = append(all,
			"series is what the patch series says of a TDX guest's boot to shell (PATCHv7 \"mm, x86/cc: Implement support for unaccepted "+
				"memory\", June 2022): 2.5 times faster with 4 GiB, 4 times with 64 GiB. No cost was fitted to it. It does not say "+
				strings.Join(compare.SeriesOpen(), "; nor ")+".")
	}
	return all
}

func (s *Study) hasSeries() bool {
	return slices.ContainsFunc(s.Boots, func(b *Boot) bool {
		e := s.eager(b)
		return e != nil && e.Series != 0
	})
}

func (s *Study) hasOwn() bool {
	return slices.ContainsFunc(s.Boots, func(b *Boot) bool { return b.cfg.Image == nil })
}

// models are the cost models that time was charged by.
func (s *Study) models() (names []string) {
	for _, b := range s.Boots {
		if b.Record != nil && !slices.Contains(names, b.Record.CostModel) {
			names = append(names, b.Record.CostModel)
		}
	}
	if names == nil {
		names = []string{"the platforms' cost models"}
	}
	return names
}
