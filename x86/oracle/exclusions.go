package oracle

import "strings"

// excludedForms are rows of the tables that are not compared, by mnemonic, and why.
var excludedForms = []struct{ mnemonics, reason string }{
	{"RCPSS RCPPS RSQRTSS RSQRTPS", "approximations: each model of processor has its own within 1.5 * 2^-12"},
	{"FSIN FCOS FSINCOS FPTAN FPATAN F2XM1 FYL2X FYL2XP1", "transcendental functions: exact to about a unit in the last place, differently by model"},
}

// excluded returns why a form is not compared, or "".
func (f *form) excluded() string {
	for _, e := range excludedForms {
		if strings.Contains(" "+e.mnemonics+" ", " "+f.mnemonic+" ") {
			return e.reason
		}
	}
	return ""
}
