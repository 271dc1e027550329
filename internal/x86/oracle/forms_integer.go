package oracle

import (
	"fmt"
	"strings"
)

// The general-purpose instructions (SDM vol. 1, 5.1), without those that change the flow of control.
var integerForms = parseForms(arithmeticRows() + shiftRows() + conditionRows() + `
	MOV r/m8, r8     ; 88 /r
	MOV r/mv, rv     ; 89 /r
	MOV r8, r/m8     ; 8A /r
	MOV rv, r/mv     ; 8B /r
	MOV rv/m16, ES   ; 8C /0
	MOV rv/m16, CS   ; 8C /1
	MOV rv/m16, SS   ; 8C /2
	MOV rv/m16, DS   ; 8C /3
	MOV rv/m16, FS   ; 8C /4
	MOV rv/m16, GS   ; 8C /5
	MOV AL, moffs8   ; A0 mo
	MOV AX, moffs16  ; o16 w16 A1 mo
	MOV EAX, moffs32 ; w32 A1 mo
	MOV RAX, moffs64 ; REX.W w64 A1 mo
	MOV moffs8, AL   ; A2 mo
	MOV moffs16, AX  ; o16 w16 A3 mo
	MOV moffs32, EAX ; w32 A3 mo
	MOV moffs64, RAX ; REX.W w64 A3 mo
	MOV r8, imm8     ; B0+r ib
	MOV rv, immv     ; B8+r iv
	MOV r/m8, imm8   ; C6 /0 ib
	MOV r/mv, immz   ; C7 /0 iz
	MOVSX rv, r/m8   ; 0F BE /r
	MOVSX rv, r/m16  ; 0F BF /r
	MOVSXD r16, r/m16 ; o16 w16 63 /r
	MOVSXD ry, r/m32 ; 63 /r
	MOVZX rv, r/m8   ; 0F B6 /r
	MOVZX rv, r/m16  ; 0F B7 /r
	MOVBE rv, mv     ; 0F 38 F0 /r ; MOVBE
	MOVBE mv, rv     ; 0F 38 F1 /r ; MOVBE
	MOVNTI my, ry    ; 0F C3 /r ; SSE2
	MOVDIRI my, ry   ; 0F 38 F9 /r ; MOVDIRI
	LEA rv, mv       ; 8D /r ; noread
	XCHG r/m8, r8    ; 86 /r ; lock
	XCHG r/mv, rv    ; 87 /r ; lock
	XCHG rv, rAX     ; 90+r
	BSWAP ry         ; 0F C8+r
	XLATB            ; D7

	PUSH rk      ; 50+r
	PUSH r/mk    ; FF /6
	PUSH imm8    ; 6A ib
	PUSH imm16   ; o16 68 iw
	PUSH imm32   ; 68 id
	PUSH FS      ; 0F A0
	PUSH GS      ; 0F A8
	POP rk       ; 58+r
	POP r/mk     ; 8F /0
	PUSHFQ       ; 9C
	PUSHF        ; o16 w16 9C
	POPFQ        ; 9D
	POPF         ; o16 w16 9D
	ENTER imm16, imm8 ; C8 iw ib
	ENTER imm16, imm8 (16) ; o16 w16 C8 iw ib
	LEAVE        ; C9
	LEAVE (16)   ; o16 w16 C9

	INC r/m8      ; FE /0 ; lock
	INC r/mv      ; FF /0 ; lock
	DEC r/m8      ; FE /1 ; lock
	DEC r/mv      ; FF /1 ; lock
	NOT r/m8      ; F6 /2 ; lock
	NOT r/mv      ; F7 /2 ; lock
	NEG r/m8      ; F6 /3 ; lock
	NEG r/mv      ; F7 /3 ; lock
	TEST r/m8, r8 ; 84 /r
	TEST r/mv, rv ; 85 /r
	TEST AL, imm8 ; A8 ib
	TEST rAX, immz ; A9 iz
	TEST r/m8, imm8 ; F6 /0 ib
	TEST r/m8, imm8 (/1) ; F6 /1 ib
	TEST r/mv, immz ; F7 /0 iz
	TEST r/mv, immz (/1) ; F7 /1 iz
	MUL r/m8      ; F6 /4
	MUL r/mv      ; F7 /4
	IMUL r/m8     ; F6 /5
	IMUL r/mv     ; F7 /5
	IMUL rv, r/mv ; 0F AF /r
	IMUL rv, r/mv, immz ; 69 /r iz
	IMUL rv, r/mv, imm8 ; 6B /r ib
	DIV r/m8      ; F6 /6
	DIV r/mv      ; F7 /6
	IDIV r/m8     ; F6 /7
	IDIV r/mv     ; F7 /7
	CBW           ; o16 w16 98
	CWDE          ; w32 98
	CDQE          ; REX.W w64 98
	CWD           ; o16 w16 99
	CDQ           ; w32 99
	CQO           ; REX.W w64 99

	SHLD r/mv, rv, imm8 ; 0F A4 /r ib
	SHLD r/mv, rv, CL   ; 0F A5 /r
	SHRD r/mv, rv, imm8 ; 0F AC /r ib
	SHRD r/mv, rv, CL   ; 0F AD /r
	BT r/mv, rv    ; 0F A3 /r
	BTS r/mv, rv   ; 0F AB /r ; lock
	BTR r/mv, rv   ; 0F B3 /r ; lock
	BTC r/mv, rv   ; 0F BB /r ; lock
	BT r/mv, imm8  ; 0F BA /4 ib
	BTS r/mv, imm8 ; 0F BA /5 ib ; lock
	BTR r/mv, imm8 ; 0F BA /6 ib ; lock
	BTC r/mv, imm8 ; 0F BA /7 ib ; lock
	BSF rv, r/mv   ; 0F BC /r ; single
	BSR rv, r/mv   ; 0F BD /r ; single

	XADD r/m8, r8    ; 0F C0 /r ; lock
	XADD r/mv, rv    ; 0F C1 /r ; lock
	CMPXCHG r/m8, r8 ; 0F B0 /r ; lock
	CMPXCHG r/mv, rv ; 0F B1 /r ; lock
	CMPXCHG8B m64    ; 0F C7 /1 ; lock CX8
	CMPXCHG16B m128  ; REX.W 0F C7 /1 ; lock CX16

	CLC  ; F8
	STC  ; F9
	CMC  ; F5
	CLD  ; FC
	STD  ; FD
	LAHF ; 9F ; LAHF
	SAHF ; 9E ; LAHF

	TZCNT rv, r/mv  ; F3 0F BC /r ; BMI1
	LZCNT rv, r/mv  ; F3 0F BD /r ; LZCNT
	POPCNT rv, r/mv ; F3 0F B8 /r ; POPCNT
	CRC32 ry, r/m8  ; F2 0F 38 F0 /r ; SSE4.2
	CRC32 r32, r/m16 ; o16 F2 0F 38 F1 /r ; SSE4.2
	CRC32 r32, r/m32 ; F2 0F 38 F1 /r ; SSE4.2
	CRC32 r64, r/m64 ; REX.W F2 0F 38 F1 /r ; SSE4.2
	ADCX ry, r/my   ; 66 0F 38 F6 /r ; ADX
	ADOX ry, r/my   ; F3 0F 38 F6 /r ; ADX

	ANDN ry, vy, r/my  ; VEX.LZ.0F38 F2 /r ; BMI1
	BEXTR ry, r/my, vy ; VEX.LZ.0F38 F7 /r ; BMI1
	BLSR vy, r/my      ; VEX.LZ.0F38 F3 /1 ; BMI1
	BLSMSK vy, r/my    ; VEX.LZ.0F38 F3 /2 ; BMI1
	BLSI vy, r/my      ; VEX.LZ.0F38 F3 /3 ; BMI1
	BZHI ry, r/my, vy  ; VEX.LZ.0F38 F5 /r ; BMI2
	PEXT ry, vy, r/my  ; VEX.LZ.F3.0F38 F5 /r ; BMI2
	PDEP ry, vy, r/my  ; VEX.LZ.F2.0F38 F5 /r ; BMI2
	MULX ry, vy, r/my  ; VEX.LZ.F2.0F38 F6 /r ; BMI2
	RORX ry, r/my, imm8 ; VEX.LZ.F2.0F3A F0 /r ib ; BMI2
	SHLX ry, r/my, vy  ; VEX.LZ.66.0F38 F7 /r ; BMI2
	SARX ry, r/my, vy  ; VEX.LZ.F3.0F38 F7 /r ; BMI2
	SHRX ry, r/my, vy  ; VEX.LZ.F2.0F38 F7 /r ; BMI2

	MOVSB ; A4
	MOVSW ; o16 w16 A5
	MOVSD ; w32 A5
	MOVSQ ; REX.W w64 A5
	CMPSB ; A6
	CMPSW ; o16 w16 A7
	CMPSD ; w32 A7
	CMPSQ ; REX.W w64 A7
	STOSB ; AA
	STOSW ; o16 w16 AB
	STOSD ; w32 AB
	STOSQ ; REX.W w64 AB
	LODSB ; AC
	LODSW ; o16 w16 AD
	LODSD ; w32 AD
	LODSQ ; REX.W w64 AD
	SCASB ; AE
	SCASW ; o16 w16 AF
	SCASD ; w32 AF
	SCASQ ; REX.W w64 AF
`)

// arithmeticRows are the eight operations that share an encoding (SDM vol. 2, A.3, opcodes 00 to 3D, 80, 81, 83).
func arithmeticRows() string {
	var b strings.Builder
	for i, name := range []string{"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"} {
		lock := "lock"
		if name == "CMP" {
			lock = ""
		}
		fmt.Fprintf(&b, `
	%[1]s r/m8, r8 ; %02[2]X /r ; %[9]s
	%[1]s r/mv, rv ; %02[3]X /r ; %[9]s
	%[1]s r8, r/m8 ; %02[4]X /r
	%[1]s rv, r/mv ; %02[5]X /r
	%[1]s AL, imm8 ; %02[6]X ib
	%[1]s rAX, immz ; %02[7]X iz
	%[1]s r/m8, imm8 ; 80 /%[8]d ib ; %[9]s
	%[1]s r/mv, immz ; 81 /%[8]d iz ; %[9]s
	%[1]s r/mv, imm8 ; 83 /%[8]d ib ; %[9]s
`, name, 8*i, 8*i+1, 8*i+2, 8*i+3, 8*i+4, 8*i+5, i, lock)
	}
	return b.String()
}

// shiftRows are group 2 (SDM vol. 2, table A-6). /6 is not documented and does what /4 does, on silicon of both
// vendors.
func shiftRows() string {
	var b strings.Builder
	for i, name := range []string{"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SAL", "SAR"} {
		fmt.Fprintf(&b, `
	%[1]s r/m8, imm8 ; C0 /%[2]d ib
	%[1]s r/mv, imm8 ; C1 /%[2]d ib
	%[1]s r/m8, 1 ; D0 /%[2]d
	%[1]s r/mv, 1 ; D1 /%[2]d
	%[1]s r/m8, CL ; D2 /%[2]d
	%[1]s r/mv, CL ; D3 /%[2]d
`, name, i)
	}
	return b.String()
}

// conditions are the sixteen condition codes (SDM vol. 1, B.1).
var conditions = [16]string{"O", "NO", "B", "NB", "Z", "NZ", "BE", "NBE", "S", "NS", "P", "NP", "L", "NL", "LE", "NLE"}

func conditionRows() string {
	var b strings.Builder
	for i, cc := range conditions {
		fmt.Fprintf(&b, `
	CMOV%[1]s rv, r/mv ; 0F %02[2]X /r ; CMOV
	SET%[1]s r/m8 ; 0F %02[3]X /0
	J%[1]s rel8 ; %02[4]X cb
	J%[1]s rel32 ; 0F %02[5]X cd
`, cc, 0x40+i, 0x90+i, 0x70+i, 0x80+i)
	}
	return b.String()
}
