package oracle

import "strings"

// An effect is what an instruction does with the arithmetic flags (SDM vol. 1, appendix A, and the instructions' own
// pages).
type effect struct {
	reads     uint64
	sets      uint64 // to a defined value
	undefined uint64
	maybe     bool // it may also leave them all alone (shifts by 0, repetitions of none)
}

// flagEffects holds a row for each group of mnemonics: what is read, what is set, what is left undefined, in the
// manual's letters.
var flagEffects = parseEffects(`
	ADD SUB CMP NEG XADD CMPXCHG : - oszapc -
	ADC SBB           : c oszapc -
	INC DEC           : - oszap -
	AND OR XOR TEST   : - oszpc a
	MUL IMUL          : - oc szap
	DIV IDIV          : - - oszapc
	SHL SAL SHR SAR   : - szpc oa maybe
	ROL ROR           : - c o maybe
	RCL RCR           : c c o maybe
	SHLD SHRD         : - szpc oa maybe
	BT BTS BTR BTC    : - c osap
	BSF BSR           : - z oscap
	TZCNT LZCNT       : - zc osap
	POPCNT            : - oszapc -
	ADCX              : c c -
	ADOX              : o o -
	ANDN              : - oszc ap
	BEXTR             : - zco sap
	BLSR BLSMSK BLSI BZHI : - oszc ap
	CMPXCHG8B CMPXCHG16B LAR LSL VERR VERW : - z -
	CLC STC           : - c -
	CMC               : c c -
	IRET IRETD IRETQ  : - oszapc -
	LAHF PUSHF PUSHFQ : oszapc - -
	SAHF              : - szapc -
	POPF POPFQ        : - oszapc -
	CMPSB CMPSW CMPSD CMPSQ SCASB SCASW SCASD SCASQ : - oszapc - maybe
	LOOPE LOOPNE      : z - -
	UCOMISS UCOMISD COMISS COMISD PTEST PCMPESTRM PCMPESTRI PCMPISTRM PCMPISTRI : - oszapc -
	FCOMI FCOMIP FUCOMI FUCOMIP : - zpc -
	FCMOVB FCMOVNB    : c - -
	FCMOVE FCMOVNE    : z - -
	FCMOVBE FCMOVNBE  : cz - -
	FCMOVU FCMOVNU    : p - -
`)

var flagLetters = map[rune]uint64{'o': flagOF, 's': flagSF, 'z': flagZF, 'a': flagAF, 'p': flagPF, 'c': flagCF}

func parseEffects(rows string) map[string]effect {
	effects := map[string]effect{}
	bits := func(letters string) (mask uint64) {
		for _, l := range letters {
			mask |= flagLetters[l]
		}
		return mask
	}
	for _, row := range strings.Split(strings.TrimSpace(rows), "\n") {
		names, letters, _ := strings.Cut(row, ":")
		f := strings.Fields(letters)
		for _, name := range strings.Fields(names) {
			effects[name] = effect{bits(f[0]), bits(f[1]), bits(f[2]), len(f) > 3}
		}
	}
	reads := [8]string{"o", "c", "z", "cz", "s", "p", "so", "soz"}
	for i, cc := range conditions {
		for _, name := range []string{"J", "SET", "CMOV"} {
			effects[name+cc] = effect{reads: bits(reads[i/2])}
		}
	}
	return effects
}

// after returns the flags that are undefined after an instruction with this effect, if those in undefined were undefined
// before it.
func (e effect) after(undefined uint64) uint64 {
	if !e.maybe {
		undefined &^= e.sets
	}
	return undefined | e.undefined
}
