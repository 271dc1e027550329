//go:build linux || darwin

#include "textflag.h"

// Steps of 16 bytes, far below the 64 of today's cores: so nothing has to be asked about caches, which the system may not
// let a process ask.

// func synchronizeRange(from, to uintptr)
TEXT ·synchronizeRange(SB), NOSPLIT, $0-16
	MOVD from+0(FP), R0
	MOVD to+8(FP), R1
	BIC  $15, R0, R0
	MOVD R0, R2
clean:
	WORD $0xd50b7b22 // DC CVAU, X2
	ADD  $16, R2, R2
	CMP  R1, R2
	BLO  clean
	DSB  $11 // ISH
invalidate:
	WORD $0xd50b7520 // IC IVAU, X0
	ADD  $16, R0, R0
	CMP  R1, R0
	BLO  invalidate
	DSB  $11 // ISH
	ISB  $15
	RET
