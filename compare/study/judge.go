package study

import (
	"fmt"

	"github.com/tacit-vm/tacit/compare"
)

// A Verdict says whether a boot meets a condition.
type Verdict struct {
	Condition compare.Condition
	Boot      *Boot
	Base      *Boot
	Met       bool
	Err       error // why it cannot be told
}

func (s *Study) judge(conditions []compare.Condition) {
	for _, block := range s.Blocks {
		for _, boot := range block.Boots[1:] {
			for _, c := range conditions {
				v := Verdict{Condition: c, Boot: boot, Base: block.Base()}
				v.Met, v.Err = c.Judge(boot.Record, v.Base.Record)
				s.Verdicts = append(s.Verdicts, v)
			}
		}
	}
}

// Met says whether some boot meets a condition.
func (s *Study) Met() bool {
	for _, v := range s.Verdicts {
		if v.Met {
			return true
		}
	}
	return false
}

// Complete says whether every boot got to its init, and every condition could be judged.
func (s *Study) Complete() bool {
	for _, b := range s.Boots {
		if b.Record == nil || b.Record.VirtualNS.Init == nil {
			return false
		}
	}
	for _, v := range s.Verdicts {
		if v.Err != nil {
			return false
		}
	}
	return true
}

// text says what came of a condition; empty where it is not met.
func (v Verdict) text() string {
	which := fmt.Sprintf("%s, %s: %s, %s", v.Boot.Image, v.Boot.With, v.Boot.Platform, compare.Bytes.Format(v.Boot.Memory))
	m := v.Condition.Metric
	switch {
	case v.Err != nil:
		return fmt.Sprintf("UNKNOWN  %v: %s: %v", v.Condition, which, v.Err)
	case v.Met:
		n, base := *m.Of(v.Boot.Record), *m.Of(v.Base.Record)
		return fmt.Sprintf("FAILED  %v: %s: %s is %s, and in the base %s", v.Condition, which, m.Name, m.Unit.Format(n), m.Unit.Format(base))
	}
	return ""
}
