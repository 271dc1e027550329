package oracle

import (
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// withoutForms are instructions that a disassembler knows and the tables do not have, by its names for them.
var withoutForms = []exclusion{
	{"AAA AAD AAM AAS ARPL BOUND DAA DAS INTO JCXZ LDS LES POPA POPAD POPFD PUSHA PUSHAD PUSHFD", "not there in 64-bit mode"},
	{"CPUID RDPMC RDRAND RDTSC RDTSCP SGDT SIDT SLDT SMSW STR SYSCALL SYSENTER", "otherExclusions says why"},
	{"LCALL LFS LGS LJMP LSS", "they need descriptors of the guest's own: the suite of system behaviour has them"},
	{"MONITOR MWAIT XABORT XBEGIN XEND XTEST XSAVES XSAVES64 XRSTORS XRSTORS64", "not announced"},
	{"MOVNTSD MOVNTSS", "AMD's SSE4a, not announced"},
}

// A list that others made, of golang.org/x/arch, has no instruction that the tables have forgotten.
func TestEveryKnownInstructionHasForms(t *testing.T) {
	guest := announcedFeatures(guestCPUID)
	g := NewGenerator(1, func(f *form) bool { return guest[f.feature] })
	has := map[string]bool{}
	for n := range uint64(30 * len(g.forms)) {
		c := g.Case(n)
		start := 0
		for _, end := range c.ends {
			if in, err := x86asm.Decode(c.Code[start:end], 64); err == nil {
				has[in.Op.String()] = true
			}
			start = end
		}
	}
	reasons := map[string]string{}
	for _, e := range withoutForms {
		for _, name := range strings.Fields(e.what) {
			reasons[name] = e.reason
		}
	}
	known := 0
	for op := x86asm.Op(1); !strings.HasPrefix(op.String(), "Op("); op++ {
		name := op.String()
		vector := name[0] == 'V' || name[0] == 'K' // AVX and what follows it, but for VERR and VERW
		switch reason := reasons[name]; {
		case has[name] && reason != "":
			t.Errorf("%s has a form, and a reason to have none: %s", name, reason)
		case !has[name] && reason == "" && !vector:
			t.Errorf("%s has neither a form nor a reason to have none", name)
		}
		known++
	}
	if known < 500 {
		t.Errorf("the list has %d instructions only", known)
	}
}
