package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// unswept are opcodes that the sweep over all of them leaves out: a map and an opcode, and where a digit follows,
// ModRM.reg.
var unswept = []exclusion{
	{"26 2E 36 3E 40 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 4E 4F 64 65 66 67 F0 F2 F3", "prefixes"},
	{"0F 0F38 0F3A", "escapes"},
	{"62 C4 C5", "VEX and EVEX: the host may have AVX"},
	{"70 71 72 73 74 75 76 77 78 79 7A 7B 7C 7D 7E 7F E0 E1 E2 E3 EB", "short branches: could hit themselves"},
	{"8E CA CB CF FF/3 FF/5 0FA1 0FA9 0FB2 0FB4 0FB5", "loads of segment registers and far branches: they need descriptors, or a stack that is drawn for them (forms_flow.go)"},
	{"E8 E9 0F80 0F81 0F82 0F83 0F84 0F85 0F86 0F87 0F88 0F89 0F8A 0F8B 0F8C 0F8D 0F8E 0F8F", "near branches with prefix 66: see otherExclusions"},
	{"CD 0F05 0F34", "may enter the host's kernel"},
	{"0F31 0F33 0FA2 0FC7/6 0FC7/7 0F00/0 0F00/1 0F01/0 0F01/1 0F01/4", "differ by design: see otherExclusions"},
}

// unannounced are opcodes of features that a host may have and the interpreter does not announce.
var unannounced = []exclusion{
	{"C6/7 C7/7 0F01/2", "TSX: XABORT, XBEGIN, XEND, XTEST; VMFUNC"},
	{"0F01/3 0F01/5 0F01/6 0F01/7", "SVM; CET, SERIALIZE, TSXLDTRK, user interrupts, protection keys; AMD's"},
	{"0F38CF 0F3ACE 0F3ACF", "GFNI"},
	{"0F38F5 0F38F6 0F38F8 0F38F9 0F38FC", "CET's WRSS and WRUSS, MOVDIR64B, ENQCMD, MOVDIRI, RAO-INT"},
	{"0F38C8 0F38CA 0F38CB 0F38CC 0F38CD 0F38D8 0F38DC 0F38DD 0F38DE 0F38DF 0F38FA 0F38FB 0F3AF0", "Key Locker, HRESET"},
	{"0FAE/4 0FAE/5 0FAE/6 0F01/0 0F1E", "PTWRITE, INCSSP, WAITPKG, CLRSSBSY"},
	{"0FC7/3 0FC7/5", "XRSTORS, XSAVES"},
	{"0F1A 0F1B", "MPX"},
	{"0F2B 0F78 0F79", "SSE4a, AMD's: MOVNTSS, MOVNTSD, EXTRQ, INSERTQ"},
	{"0F0E 0F0F", "3DNow!"},
}

// opcodes returns the reason for each opcode of a table.
func opcodes(table []exclusion) map[string]string {
	reasons := map[string]string{}
	for _, e := range table {
		for _, name := range strings.Fields(e.what) {
			reasons[name] = e.reason
		}
	}
	return reasons
}

// reason returns what a table says of an opcode with a digit, or without.
func reason(table map[string]string, name string) string {
	opcode, _, _ := strings.Cut(name, "/")
	return table[name] + table[opcode]
}

// Every opcode of the four maps, after every prefix that can change its meaning and with every ModRM.reg, is defined
// or undefined, as long as it is, and refused to user code, as on silicon; whether the tables have it or not. What it
// computes is for the tables' cases.
func TestEveryOpcode(t *testing.T) {
	needSilicon(t)
	missing := missingOpcodes(announcedFeatures(guestCPUID), announcedFeatures(hostCPUID))
	for opcode, feature := range missing {
		t.Logf("this host has no %s: %s may be undefined", feature, opcode)
	}
	o, err := New(Ways()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	skip, extra := opcodes(unswept), opcodes(unannounced)
	swept, failed := 0, 0
	var cases []*Case
	flush := func() {
		if err := o.Ask(cases, func(i int, silicon *Outcome, differences []string) {
			swept++
			switch difference := strings.Join(differences, "\n"); {
			case differences == nil,
				reason(extra, cases[i].Name) != "" && strings.Contains(difference, "interpreter #UD"),
				reason(missing, cases[i].Name) != "" && silicon.Vector == vectorUD:
				return
			}
			if failed++; failed <= 20 {
				t.Errorf("% X: %s", cases[i].Code, strings.Join(differences, "; "))
			}
		}); err != nil {
			t.Fatal(err)
		}
		cases = cases[:0]
	}
	for _, escape := range [][]byte{{}, {0x0F}, {0x0F, 0x38}, {0x0F, 0x3A}} {
		for op := range 256 {
			for reg := range 8 {
				name := fmt.Sprintf("%X%02X/%d", escape, op, reg)
				if reason(skip, name) != "" {
					continue
				}
				for _, prefix := range [][]byte{{}, {0x66}, {0xF2}, {0xF3}, {0x66, 0xF2}, {0x66, 0xF3}} {
					for _, rex := range [][]byte{{}, {0x48}} {
						for _, rm := range []byte{0x03, 0xC0, 0xC3} { // [RBX], RAX, RBX
							code := append(append(append(append([]byte{}, prefix...), rex...), escape...), byte(op), rm|byte(reg)<<3)
							if cases = append(cases, sweepCase(name, code)); len(cases) == BatchSize {
								flush()
							}
						}
					}
				}
			}
		}
	}
	flush()
	t.Logf("%d encodings; %s does these otherwise: %v", swept, hostVendor(), o.settled)
	if failed > 0 {
		t.Errorf("%d of %d differ", failed, swept)
	}
}

// missingOpcodes returns the opcodes of features that the interpreter announces and the host has not, with their names.
func missingOpcodes(guest, host map[string]bool) map[string]string {
	names := map[string]string{}
	for _, f := range allForms {
		if !guest[f.feature] || host[f.feature] || f.vex {
			continue
		}
		n := f.opcodeBytes()
		name := fmt.Sprintf("%X", f.opcode[:n])
		switch {
		case f.digit >= 0:
			name += fmt.Sprintf("/%d", f.digit)
		case len(f.opcode) > n: // a ModRM byte
			name += fmt.Sprintf("/%d", f.opcode[n]>>3&7)
		}
		names[name] = f.feature
	}
	const moveDirect = "MOVDIR64B" // of two addresses, for which there is no form
	if guest[moveDirect] && !host[moveDirect] {
		names["0F38F8"] = moveDirect
	}
	return names
}

// A host that lacks a feature is not asked about its opcodes, and is asked about all others.
func TestMissingOpcodes(t *testing.T) {
	guest, host := announcedFeatures(guestCPUID), announcedFeatures(guestCPUID)
	if names := missingOpcodes(guest, host); len(names) != 0 {
		t.Errorf("nothing is missing, and these are left out: %v", names)
	}
	for _, name := range []string{"INVPCID", "FSGSBASE", "SHA", "XSAVEC", "SMAP"} {
		delete(host, name)
	}
	got := slices.Sorted(maps.Keys(missingOpcodes(guest, host)))
	want := []string{"0F01/1", "0F3882", "0F38C8", "0F38C9", "0F38CA", "0F38CB", "0F38CC", "0F38CD", "0F3ACC", "0FAE/0", "0FAE/1", "0FAE/2", "0FAE/3", "0FC7/4"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// opcodeBytes is how long the opcode is with its escapes; what follows in the tables is a ModRM byte.
func (f *form) opcodeBytes() int {
	switch {
	case f.opcode[0] != 0x0F:
		return 1
	case f.opcode[1] == 0x38 || f.opcode[1] == 0x3A:
		return 3
	}
	return 2
}

// sweepCase is code with registers that lead to memory. What flags and memory become is not looked at.
func sweepCase(name string, code []byte) *Case {
	c := &Case{Name: name, Code: code, names: []string{name}, ends: []int{len(code)}}
	c.In = State{RIP: codeBase + 0x100, Flags: flag1 | flagIF, MXCSR: 0x1F80, X87: X87{FCW: 0x37F}}
	for i := range c.In.GPR {
		c.In.GPR[i] = arenaBase + 0x400 + 0x40*uint64(i)
	}
	c.In.GPR[rcx] = 2 // a count
	c.Skip.Flags, c.Skip.Early = arithmeticFlags, arithmeticFlags
	c.Skip.Mem = []Span{{arenaBase, arenaSize}}
	c.Skip.CR2 = true
	return c
}
