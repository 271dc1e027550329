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
	b.Record.Acceptance.UnacceptedAtEnd = new(handedOver - min(accepted, handedOver))
	b.Record.Config.InitrdSHA256 = "tacit's"
	b.Record.Guest.MemInfo = &record.MemInfo{MemTotal: sees}
	b.Record.Phases = []record.PhaseReached{{Phase: record.ExitBootServices, Unaccepted: handedOver}}
	return b
}

// silent makes a boot of an image with an init of its own, which ended so.
func silent(outcome record.Outcome, handedOver, accepted uint64) *Boot {
	b := reported("lazy", 0, handedOver, accepted)
	b.Record.Outcome, b.Record.Guest.MemInfo, b.Record.Config.InitrdSHA256 = outcome, nil, ""
	return b
}

// told makes the guest of a boot one whose command line says so.
func told(b *Boot, commandLine string) *Boot {
	b.Record.Guest.CommandLine = commandLine
	return b
}

// converted makes a boot whose guest accepted so much again that it had made shared, and nothing else.
func converted(b *Boot, n uint64) *Boot {
	b.Record.Acceptance.By.Kernel.Bytes = n
	return b
}

// panicked makes a boot of an image with an init of its own, which it did not get to.
func panicked(why string) *Boot {
	b := ended("lazy", record.GuestPanic)
	b.Record.Diagnosis = &record.Diagnosis{Summary: "Kernel panic - not syncing: " + why}
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
		"silent":                               {boots: []*Boot{silent(record.PowerOff, left, 800<<20)}, guest: Yes, accepts: Yes, complete: true, disagreesWithNo: true},
		"silent, and waits for its disk":       {boots: []*Boot{silent(record.Limit, left, 800<<20)}, guest: Yes, accepts: Yes, complete: true, disagreesWithNo: true},
		"silent, and gave up":                  {boots: []*Boot{silent(record.GuestPanic, left, 800<<20)}, guest: Yes, accepts: Yes, complete: true, disagreesWithNo: true},
		"silent, and loses":                    {boots: []*Boot{converted(silent(record.PowerOff, left, 0), 1<<20)}, guest: Yes, accepts: No, loses: 1, complete: true, disagreesWithNo: true},
		"silent, and dies of it":               {boots: []*Boot{silent(record.Violation, left, 800<<20)}, guest: No, accepts: No, violations: 1, complete: true},
		"has no root file system":              {boots: []*Boot{panicked("VFS: Unable to mount root fs on unknown-block(0,0)")}, guest: Unknown, accepts: Unknown},
		"panics":                               {boots: []*Boot{panicked("TDX: Failed to accept memory")}, guest: No, accepts: No, complete: true},
		"should have reported":                 {boots: []*Boot{silent(record.NoReport, left, 800<<20)}, guest: Unknown, accepts: Unknown},
		"was told to use less":                 {boots: []*Boot{told(reported("lazy", 900<<20, left, 800<<20), "quiet mem=1G")}, guest: Yes, accepts: Yes, complete: true, disagreesWithNo: true},
		"was told so and accepts nothing":      {boots: []*Boot{told(reported("lazy", 200<<20, left, 0), "memmap=1G$1G")}, guest: Yes, accepts: No, loses: 1, complete: true, disagreesWithNo: true},
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
