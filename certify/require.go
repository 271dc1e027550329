package certify

import (
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A criterion holds a requirement of package inspect's against boots.
type criterion struct {
	platform string // whose boots bear on it; empty means every platform's
	accepts  bool   // it is about memory that firmware has left to the image
	unmet    string // what it means that a boot which is otherwise in order does not show it

	// shows says whether the boot shows it; empty where the boot has nothing to do with it.
	shows func(b *Boot, on PlatformVerdict) Answer
}

// criteria are by the names of [inspect.Requirements].
var criteria = map[string]criterion{
	"tdx":       {vm.TDX, true, "", shownAccepting},
	"snp":       {vm.SNP, true, "", shownAccepting},
	"tdx-guest": {vm.TDX, false, "", shownAlive},
	"snp-guest": {vm.SNP, false, "", shownAlive},
	"negotiate": {"", false, "it did not call AllowUnacceptedMemory, which was offered", shownNegotiating},
	"lazy":      {"", true, "nothing was left unaccepted when its init started", shownLazy},
}

// alive says whether the guest came as far as its init.
func (b *Boot) alive() Answer {
	switch {
	case !b.Proves():
		return Unknown
	case b.Reached():
		return Yes
	}
	return No
}

func shownAlive(b *Boot, _ PlatformVerdict) Answer { return b.alive() }

// shownAccepting: the guest came up, had memory to accept, and lost none of it.
func shownAccepting(b *Boot, _ PlatformVerdict) Answer {
	if a := b.alive(); a != Yes {
		return a
	}
	if b.Loses() { // also where firmware has accepted all of it after a loader had told the kernel of less
		return No
	}
	if handedOver(b.Record) == 0 {
		return ""
	}
	return b.accepts()
}

// shownLazy: it accepts, and not all at once. A boot on a platform where the image is no guest under any policy has
// nothing to do with that.
func shownLazy(b *Boot, on PlatformVerdict) Answer {
	if b.alive() == No && on.Guest != Yes {
		return ""
	}
	if a := shownAccepting(b, on); a != Yes {
		return a
	}
	return answer(*b.Record.Acceptance.UnacceptedAtInit > 0)
}

// shownNegotiating: the system that was asked has answered, or has left boot services without that.
func shownNegotiating(b *Boot, _ PlatformVerdict) Answer {
	if b.Record == nil {
		return Unknown
	}
	n := b.Record.Negotiation
	switch {
	case !n.Offered:
		return ""
	case len(n.AllowedBy) > 0:
		return Yes
	case !b.Proves():
		return Unknown
	case b.Reached() || n.ExitBootServices > 0:
		return No
	}
	return ""
}

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// require holds requirements against the boots of one image: one is met if every boot that has to do with it shows it.
func (v *Verdict) require(requirements []inspect.Requirement, boots []*Boot) {
	v.Required = map[string]Answer{}
	for _, b := range boots {
		b.Required = map[string]Answer{}
	}
	for _, r := range requirements {
		c, all := criteria[r.Name], []Answer{}
		for _, b := range boots {
			if c.platform != "" && c.platform != b.Platform {
				continue
			}
			if a := c.shows(b, v.Platforms[b.Platform]); a != "" {
				b.Required[r.Name] = a
				all = append(all, a)
			}
			if b.Required[r.Name] == No {
				v.unmet = append(v.unmet, fmt.Sprintf("required %s: no: %s: %s", r.Name, b.title(), b.failing(c)))
			}
		}
		v.Required[r.Name] = both(all)
		if v.Required[r.Name] == Unknown {
			v.unmet = append(v.unmet, fmt.Sprintf("required %s: unknown: no boot shows it", r.Name))
		}
	}
}

// both is the answer to whether all is so. Nothing shows nothing.
func both(all []Answer) Answer {
	switch {
	case slices.Contains(all, No):
		return No
	case len(all) == 0 || slices.Contains(all, Unknown):
		return Unknown
	}
	return Yes
}

// failing is what is wrong with a boot that does not show what was required.
func (b *Boot) failing(c criterion) string {
	switch {
	case b.alive() == No && b.Record.Outcome == record.PowerOff:
		return "it switched itself off before its init"
	case b.alive() == No:
		return fmt.Sprintf("%s before its init", b.Record.Outcome)
	case b.Loses():
		if told := b.told(); !b.Reports() && told > 0 {
			return fmt.Sprintf("its kernel is told of %s of %s", mebibytes(told), record.FormatBytes(b.Memory))
		}
		return fmt.Sprintf("it sees %s of %s", mebibytes(b.Sees()), record.FormatBytes(b.Memory))
	}
	return c.unmet
}

// Check says what is wrong with the configuration, whatever the subjects are: a requirement that no boot could show.
func (c *Config) Check() error {
	platforms, policies, _ := c.axes()
	for i, m := range c.Costs {
		same := func(other cost.Model) bool { return other.Platform() == m.Platform() }
		switch {
		case !slices.Contains(platforms, m.Platform()):
			return fmt.Errorf("%s is a cost model for platform %s, on which no boot is asked for", m.Name(), m.Platform())
		case slices.ContainsFunc(c.Costs[:i], same):
			return fmt.Errorf("%s is a second cost model for platform %s", m.Name(), m.Platform())
		}
	}
	for _, r := range c.Require {
		criterion, known := criteria[r.Name]
		switch {
		case !known:
			return fmt.Errorf("required %s: no boot can show that", r.Name)
		case criterion.platform != "" && !slices.Contains(platforms, criterion.platform):
			return fmt.Errorf("required %s: no boot on platform %s is asked for", r.Name, criterion.platform)
		case r.Name == "negotiate" && !offers(platforms, policies):
			return fmt.Errorf("required %s: under these policies firmware does not ask", r.Name)
		case criterion.accepts && !slices.ContainsFunc(policies, func(p string) bool { return p != "eager" }):
			return fmt.Errorf("required %s: under policy eager nothing is left to accept", r.Name)
		}
	}
	return nil
}

// offers says whether there is a boot in which firmware offers the protocol.
func offers(platforms, policies []string) bool {
	return slices.Contains(policies, "negotiate") || slices.Contains(policies, "upstream") && slices.Contains(platforms, vm.SNP)
}
