package scenario

import (
	"slices"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Scenario is something that users have met.
type Scenario struct {
	Name     string   `json:"name"`     // of the thread: "AMDSEV#200"
	What     string   `json:"what"`     // was met, in a clause
	Source   string   `json:"source"`   // the address of the thread, or the file that shows it
	Expected string   `json:"expected"` // what is to be seen where it happens here, and who says so
	Needs    []string `json:"needs"`    // names of packages, for scripts/fetch-kernels
	Why      string   `json:"why"`      // it cannot be had; empty where it can
	Known    Verdict  `json:"known"`    // the verdict that it is known to come to; empty means what [Scenario.Wants] says
	Long     bool     `json:"long"`     // it takes more than about ten seconds

	boots []boot
	idle  func([]Boot) string // why the boots show nothing at all; nil where they always do
	judge func([]Boot) (seen string, shown bool)
}

// A boot is a machine that is to be booted.
type boot struct {
	label string // what is particular about it
	make  func(*shelf) (vm.Config, error)
}

// A Boot is a machine that has been booted.
type Boot struct {
	Label   string         `json:"label"`
	Console string         `json:"console"` // its end, at most maxConsole bytes
	Record  *record.Record `json:"record"`
}

// Wants is the verdict that the scenario is known to come to.
func (s *Scenario) Wants() Verdict {
	switch {
	case s.Why != "":
		return CannotBeHad
	case s.Known != "":
		return s.Known
	}
	return Reproduced
}

// All returns the scenarios, in the order in which they are shown.
func All() []*Scenario {
	return slices.Concat(ofLoaders(), ofFirmware(), ofExit(), ofKernels(), ofSizes(), ofKexec())
}

// Names are those of all scenarios.
func Names() (names []string) {
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Named returns the scenario of that name.
func Named(name string) (*Scenario, bool) {
	all := All()
	i := slices.IndexFunc(all, func(s *Scenario) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}
