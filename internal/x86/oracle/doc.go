// Package oracle asks the host's own processor whether package x86 is right.
//
// A [Case] is a few bytes of code and the state in which they run. The [Generator] draws it from tables of instructions
// (forms_*.go) in the manual's own notation, with operands, prefixes, values and addresses that lie where processors go
// wrong. It runs twice:
//
//	on silicon       in a child process (silicon_linux_amd64.go) whose whole program is a signal handler (runner_linux_amd64.s): returning from
//	                 the signal loads the state, and the exception that ends the case is the next signal
//	interpreted      in a guest (guest.go) with the same windows of memory, whose exception handlers end the run
//
// Then everything that user code can see must be equal ([Case.Compare]): registers, flags, XMM, MXCSR, the x87 state,
// all memory that can be reached, or the exception with its error code and address. What is left out, and why, is in
// exclusions.go. The interpreter is an Intel processor; what AMD's do otherwise is in makers_amd.go.
//
//	go test ./x86/oracle                                  a million cases of seed 1, and the recording
//	go test ./x86/oracle -cases=10000000 -seed=7 -counts=list.txt
//	go test ./x86/oracle -seed=7 -first=123456 -cases=1   one of them again
//	go test ./x86/oracle -forms='^(MUL|IMUL) '            some instructions only
//
// What is in no table is swept: every opcode after every prefix is defined on both or on neither (opcodes_test.go),
// and a list that others made has no instruction that the tables lack (known_test.go).
//
// A difference is shrunk ([Shrink]) and printed as Go ([Case.Literal]), to be kept in cases_test.go. Where there is no
// such silicon, a recording of its answers ([Recording]) takes its place.
//
// The child can reach its windows and nothing else, and has given up all system calls except reading, writing and
// leaving, so that no case can do harm. It needs Linux on amd64; elsewhere NewSilicon says so.
package oracle
