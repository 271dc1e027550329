package certify

import (
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// ended makes a boot on TDX that ended so, before its init.
func ended(policy string, outcome record.Outcome) *Boot {
	return &Boot{Platform: vm.TDX, Policy: policy, Memory: 4 << 30, Record: &record.Record{Outcome: outcome}}
}

// reported makes a boot on TDX whose init saw so many bytes, and that firmware left so much unaccepted.
func reported(policy string, sees, handedOver, accepted uint64) *Boot {
	b := ended(policy, record.PowerOff)
	b.Record.Acceptance.UnacceptedAtInit = new(uint64)
	b.Record.Acceptance.By.Kernel.Bytes = accepted
	b.Record.Guest.MemInfo = &record.MemInfo{MemTotal: sees}
	b.Record.Phases = []record.PhaseReached{{Phase: record.ExitBootServices, Unaccepted: handedOver}}
	return b
}

// What boots prove of a platform, and that those which say nothing of the image prove nothing.
func TestVerdicts(t *testing.T) {
	const all, lost, left = 3900 << 20, 200 << 20, 3840 << 20
	for name, c := range map[string]struct {
		boots           []*Boot
		guest, accepts  Answer
		loses, dies     int
		complete        bool
		violations      int
		disagreesWithNo bool // with who claims that it is no guest
	}{
		"accepts":                              {boots: []*Boot{reported("lazy", all, left, 800<<20)}, guest: Yes, accepts: Yes, complete: true, disagreesWithNo: true},
		"loses":                                {boots: []*Boot{reported("lazy", lost, left, 0)}, guest: Yes, accepts: No, loses: 1, complete: true, disagreesWithNo: true},
		"nothing to do":                        {boots: []*Boot{reported("eager", all, 0, 0)}, guest: Yes, accepts: Unknown, complete: true, disagreesWithNo: true},
		"dies under lazy":                      {boots: []*Boot{reported("eager", all, 0, 0), ended("lazy", record.Violation)}, guest: Yes, accepts: Unknown, dies: 1, violations: 1, complete: true, disagreesWithNo: true},
		"is no guest":                          {boots: []*Boot{ended("lazy", record.TripleFault)}, guest: No, accepts: No, complete: true},
		"ran into a limit":                     {boots: []*Boot{ended("lazy", record.Limit)}, guest: Unknown, accepts: Unknown},
		"was cancelled":                        {boots: []*Boot{ended("lazy", record.Cancelled)}, guest: Unknown, accepts: Unknown},
		"needs what the machine does not have": {boots: []*Boot{ended("lazy", record.Unsupported)}, guest: Unknown, accepts: Unknown},
		"did not run":                          {boots: []*Boot{{Platform: vm.TDX, Error: "no memory"}}, guest: Unknown, accepts: Unknown},
		"one boot of two":                      {boots: []*Boot{reported("lazy", all, left, 800<<20), ended("eager", record.Unsupported)}, guest: Yes, accepts: Yes, disagreesWithNo: true},
	} {
		s := Subject{Image: &image.Image{}, Claims: &Claims{On: map[string]PlatformClaim{vm.TDX: {Guest: No}}}}
		v := judge(s, 0, c.boots)
		p := v.Platforms[vm.TDX]
		if p.Guest != c.guest || p.Accepts != c.accepts || len(p.LosesUnder) != c.loses || len(p.DiesUnder) != c.dies || p.Violations != c.violations || v.Complete != c.complete {
			t.Errorf("%s: %s, complete %v", name, v.Line, v.Complete)
		}
		if c.disagreesWithNo != (len(v.Disagreements) > 0) {
			t.Errorf("%s: disagreements %v", name, v.Disagreements)
		}
	}
}
