package oracle

import (
	"fmt"
	"strings"
)

// The floating-point unit (SDM vol. 1, 5.2, and vol. 2, tables ), and the instructions that store the state
// of it and of SSE.
var x87Forms = parseForms(x87ArithmeticRows() + `
	FLD m32   ; D9 /0
	FLD m64   ; DD /0
	FLD m80   ; DB /5
	FST m32   ; D9 /2
	FST m64   ; DD /2
	FSTP m32  ; D9 /3
	FSTP m64  ; DD /3
	FSTP m80  ; DB /7
	FILD m16  ; DF /0
	FILD m32  ; DB /0
	FILD m64  ; DF /5
	FIST m16  ; DF /2
	FIST m32  ; DB /2
	FISTP m16 ; DF /3
	FISTP m32 ; DB /3
	FISTP m64 ; DF /7
	FISTTP m16 ; DF /1 ; SSE3
	FISTTP m32 ; DB /1 ; SSE3
	FISTTP m64 ; DD /1 ; SSE3
	FBLD m80  ; DF /4
	FBSTP m80 ; DF /6
	FLDCW m16 ; D9 /5
	FNSTCW m16 ; D9 /7
	FNSTSW m16 ; DD /7
	FNSTSW AX ; DF E0
	FLDENV m28byte ; D9 /4
	FNSTENV m28byte ; D9 /6
	FRSTOR m108byte ; DD /4
	FNSAVE m108byte ; DD /6
	FLDENV m14byte ; o16 D9 /4
	FNSTENV m14byte ; o16 D9 /6
	FRSTOR m94byte ; o16 DD /4
	FNSAVE m94byte ; o16 DD /6
	FNOP      ; D9 D0
	FCHS      ; D9 E0
	FABS      ; D9 E1
	FTST      ; D9 E4
	FXAM      ; D9 E5
	FLD1      ; D9 E8
	FLDL2T    ; D9 E9
	FLDL2E    ; D9 EA
	FLDPI     ; D9 EB
	FLDLG2    ; D9 EC
	FLDLN2    ; D9 ED
	FLDZ      ; D9 EE
	F2XM1     ; D9 F0
	FYL2X     ; D9 F1
	FPTAN     ; D9 F2
	FPATAN    ; D9 F3
	FXTRACT   ; D9 F4
	FPREM1    ; D9 F5
	FDECSTP   ; D9 F6
	FINCSTP   ; D9 F7
	FPREM     ; D9 F8
	FYL2XP1   ; D9 F9
	FSQRT     ; D9 FA
	FSINCOS   ; D9 FB
	FRNDINT   ; D9 FC
	FSCALE    ; D9 FD
	FSIN      ; D9 FE
	FCOS      ; D9 FF
	FNCLEX    ; DB E2
	FNINIT    ; DB E3
	FNENI     ; DB E0
	FNDISI    ; DB E1
	FNSETPM   ; DB E4
	FUCOMPP   ; DA E9
	FCOMPP    ; DE D9
	FWAIT     ; 9B

	FXSAVE m512byte    ; NP 0F AE /0 ; FXSR
	FXSAVE64 m512byte  ; NP REX.W 0F AE /0 ; FXSR
	FXRSTOR m512byte   ; NP 0F AE /1 ; FXSR
	FXRSTOR64 m512byte ; NP REX.W 0F AE /1 ; FXSR
	XSAVE m576byte     ; NP 0F AE /4 ; XSAVE
	XSAVE64 m576byte   ; NP REX.W 0F AE /4 ; XSAVE
	XRSTOR m576byte    ; NP 0F AE /5 ; XSAVE
	XRSTOR64 m576byte  ; NP REX.W 0F AE /5 ; XSAVE
	XSAVEOPT m576byte  ; NP 0F AE /6 ; XSAVEOPT
	XSAVEOPT64 m576byte ; NP REX.W 0F AE /6 ; XSAVEOPT
	XSAVEC m576byte    ; NP 0F C7 /4 ; XSAVEC
	XSAVEC64 m576byte  ; NP REX.W 0F C7 /4 ; XSAVEC
	XGETBV             ; 0F 01 D0 ; faults XSAVE
`)

// x87ArithmeticRows are the rows of the register and memory forms that differ in one operand.
func x87ArithmeticRows() string {
	var b strings.Builder
	row := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for i, name := range []string{"ADD", "MUL", "COM", "COMP", "SUB", "SUBR", "DIV", "DIVR"} {
		row("F%s m32 ; D8 /%d", name, i)
		row("F%s m64 ; DC /%d", name, i)
		row("FI%s m32 ; DA /%d", name, i)
		row("FI%s m16 ; DE /%d", name, i)
		row("F%s ST, ST(i) ; D8 %02X+r", name, 0xC0+8*i)
		if name != "COM" && name != "COMP" {
			// With ST(i) as destination the reversed forms change places (SDM vol. 2, table A-15).
			reversed := map[string]int{"SUB": 5, "SUBR": 4, "DIV": 7, "DIVR": 6}
			if r, ok := reversed[name]; ok {
				i = r
			}
			row("F%s ST(i), ST ; DC %02X+r", name, 0xC0+8*i)
			row("F%sP ST(i), ST ; DE %02X+r", name, 0xC0+8*i)
		}
	}
	for i, cc := range []string{"B", "E", "BE", "U"} {
		row("FCMOV%s ST, ST(i) ; DA %02X+r ; CMOV", cc, 0xC0+8*i)
		row("FCMOVN%s ST, ST(i) ; DB %02X+r ; CMOV", cc, 0xC0+8*i)
	}
	row("FLD ST(i) ; D9 C0+r")
	row("FXCH ST(i) ; D9 C8+r")
	row("FST ST(i) ; DD D0+r")
	row("FSTP ST(i) ; DD D8+r")
	// Aliases that the manual does not list. The first of FSTP does not mind an empty register.
	row("FSTP ST(i) (D9D8) ; D9 D8+r")
	row("FSTP ST(i) (DFD0) ; DF D0+r")
	row("FSTP ST(i) (DFD8) ; DF D8+r")
	row("FXCH ST(i) (DDC8) ; DD C8+r")
	row("FXCH ST(i) (DFC8) ; DF C8+r")
	row("FCOM ST, ST(i) (DCD0) ; DC D0+r")
	row("FCOMP ST, ST(i) (DCD8) ; DC D8+r")
	row("FCOMP ST, ST(i) (DED0) ; DE D0+r")
	row("FFREE ST(i) ; DD C0+r")
	row("FFREEP ST(i) ; DF C0+r")
	row("FUCOM ST(i) ; DD E0+r")
	row("FUCOMP ST(i) ; DD E8+r")
	row("FCOMI ST, ST(i) ; DB F0+r ; CMOV")
	row("FCOMIP ST, ST(i) ; DF F0+r ; CMOV")
	row("FUCOMI ST, ST(i) ; DB E8+r ; CMOV")
	row("FUCOMIP ST, ST(i) ; DF E8+r ; CMOV")
	return b.String()
}
