#include "textflag.h"

// func rmpadjust(va, size, attributes uint64) abi.Result
TEXT ·rmpadjust(SB),NOSPLIT,$0-28
	MOVQ va+0(FP), AX
	MOVQ size+8(FP), CX
	MOVQ attributes+16(FP), DX
	BYTE $0xF3; BYTE $0x0F; BYTE $0x01; BYTE $0xFE // RMPADJUST
	MOVL AX, ret+24(FP)
	RET
