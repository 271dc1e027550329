package bench

import "github.com/tacit-vm/tacit/internal/x86"

// A Loop is a piece of machine code that does one kind of work over and over.
type Loop struct {
	Name  string
	About string
	Bytes uint64 // that a turn moves, where that is what counts; else 0, and instructions count

	code      []byte            // at codeAt
	more      map[uint64][]byte // at other addresses
	fault     []byte            // the handler of page faults
	table     []uint64          // at tableAt
	registers map[int]uint64
	user      bool
	turn      uint64 // instructions in a turn, DEC and JNZ at its end included; a fault that is taken is none
}

// Offsets from codeAt of code beside the loop.
const systemCallAt = 0x4000

// Loops returns the loops, in the order in which people look at them. What is copied and added up is the loop's own code:
// zeros need not be stored where nothing but zeros is, and are not.
func Loops() []*Loop {
	return []*Loop{
		{
			Name: "integer", About: "arithmetic and logic in registers",
			code: turns(asm(
				"48 01 D8",             // add rax, rbx
				"48 31 C3",             // xor rbx, rax
				"48 8D 54 98 07",       // lea rdx, [rax + rbx*4 + 7]
				"48 C1 E2 03",          // shl rdx, 3
				"49 29 D0",             // sub r8, rdx
				"41 81 E0 FF FF FF 00", // and r8d, 0xFFFFFF
				"4D 89 C1",             // mov r9, r8
				"49 83 C9 01",          // or r9, 1
				"45 85 C9",             // test r9d, r9d
				"78 03",                // js 1f, never
				"4D 01 CA",             // add r10, r9
				"49 0F AF C1",          // 1: imul rax, r9
				"4D 39 C2",             // cmp r10, r8
			)),
			registers: map[int]uint64{x86.RAX: 1, x86.RBX: 2},
			turn:      15,
		},
		{
			Name: "memory", About: "loads, stores and read-modify-write within 128 KiB",
			code: turns(asm(
				"48 8B 04 D6",             // mov rax, [rsi + rdx*8]
				"48 03 44 D6 40",          // add rax, [rsi + rdx*8 + 64]
				"48 89 04 D7",             // mov [rdi + rdx*8], rax
				"0F B6 1C 16",             // movzx ebx, byte [rsi + rdx]
				"88 9C 17 00 80 00 00",    // mov [rdi + rdx + 0x8000], bl
				"83 84 97 00 00 01 00 01", // add dword [rdi + rdx*4 + 0x10000], 1
				"50",                      // push rax
				"5D",                      // pop rbp
				"83 C2 01",                // add edx, 1
				"81 E2 FF 0F 00 00",       // and edx, 0xFFF
			)),
			turn: 12,
		},
		{
			Name: "tlb-miss", About: "a load from another page each time, of more pages than the TLB holds",
			code: turns(asm(
				"48 8B 04 16",       // mov rax, [rsi + rdx]
				"81 C2 40 10 00 00", // add edx, 0x1040
				"81 E2 FF FF 7F 00", // and edx, 0x7FFFFF
			)),
			registers: map[int]uint64{x86.RSI: bigAt},
			turn:      5,
		},
		{
			Name: "carry", About: "chains of MUL and ADC, as in big-number arithmetic",
			code: turns(asm(
				"48 8B 06 49 F7 E0 48 03 07 48 83 D2 00 4C 01 C8 48 83 D2 00 48 89 07 49 89 D1",                   // mov rax, [rsi]; mul r8; add rax, [rdi]; adc rdx, 0; add rax, r9; adc rdx, 0; mov [rdi], rax; mov r9, rdx
				"48 8B 46 08 49 F7 E0 48 03 47 08 48 83 D2 00 4C 01 C8 48 83 D2 00 48 89 47 08 49 89 D1",          // the next quadword
				"4C 8B 56 10 4C 01 57 10 4C 8B 56 18 4C 11 57 18 4C 8B 56 20 4C 11 57 20 4C 11 4F 28 49 83 D1 00", // mov r10, [rsi+16]; add [rdi+16], r10; …; adc [rdi+24], r10; …; adc [rdi+40], r9; adc r9, 0
			)),
			registers: map[int]uint64{x86.R8: 0x9E37_79B9_7F4A_7C15, x86.R9: 0xBF58_476D_1CE4_E5B9},
			turn:      8 + 8 + 8 + 2,
		},
		{
			Name: "flags", About: "instructions that read flags right after those that set them",
			code: turns(asm(
				"48 05 37 9E 79 39", // add rax, 0x39799E37
				"0F 92 C2",          // setc dl
				"48 39 D8",          // cmp rax, rbx
				"4D 19 C0",          // sbb r8, r8
				"49 FF C1",          // inc r9
				"49 D1 D2",          // rcl r10, 1
				"4D 39 C8",          // cmp r8, r9
				"4C 0F 4C D8",       // cmovl r11, rax
				"41 FF CC",          // dec r12d
				"75 00",             // jnz 1f
				"4D 85 DB",          // 1: test r11, r11
				"7E 00",             // jle 2f
				"48 31 C3",          // 2: xor rbx, rax
				"0F A3 C3",          // bt ebx, eax
				"4D 11 ED",          // adc r13, r13
			)),
			turn: 17,
		},
		{
			Name: "string", About: "REP MOVSB and REP STOSQ of 4 KiB", Bytes: 8192,
			code: turns(asm(
				"BE 00 00 02 00 BF 00 00 20 00 B9 00 10 00 00 F3 A4",    // mov esi, codeAt; mov edi, targetAt; mov ecx, 4096; rep movsb
				"BF 00 00 21 00 B9 00 02 00 00 B8 01 00 00 00 F3 48 AB", // mov edi, targetAt+64K; mov ecx, 512; mov eax, 1; rep stosq
			)),
			turn: 10,
		},
		{
			Name: "string-short", About: "REP MOVSB of 24 bytes", Bytes: 24,
			code: turns(asm(
				"BE 00 00 02 00 BF 20 00 20 00 B9 18 00 00 00 F3 A4", // mov esi, codeAt; mov edi, targetAt+32; mov ecx, 24; rep movsb
			)),
			turn: 6,
		},
		{
			Name: "system-call", About: "SYSCALL, SWAPGS, a stack of the kernel's, and SYSRET",
			user: true,
			code: turns(asm(
				"B8 27 00 00 00", // mov eax, 39
				"0F 05",          // syscall
			)),
			more: map[uint64][]byte{codeAt + systemCallAt: asm(
				"0F 01 F8",                   // swapgs
				"65 48 89 24 25 08 00 00 00", // mov gs:[8], rsp
				"65 48 8B 24 25 10 00 00 00", // mov rsp, gs:[16]
				"51 41 53",                   // push rcx; push r11
				"83 F8 64",                   // cmp eax, 100
				"41 5B 59",                   // pop r11; pop rcx
				"65 48 8B 24 25 08 00 00 00", // mov rsp, gs:[8]
				"0F 01 F8",                   // swapgs
				"48 0F 07",                   // sysretq
			)},
			turn: 15,
		},
		{
			Name: "page-fault", About: "a store to a page that is absent, a handler that maps it, INVLPG",
			code: turns(asm(
				"48 89 07",                            // mov [rdi], rax: faults once
				"48 C7 04 25 00 40 00 00 00 00 00 00", // mov qword [ptAt], 0
				"0F 01 3F",                            // invlpg [rdi]
			)),
			fault: asm("48 83 C4 08", "EB 0A"), // add rsp, 8; jmp to the place of the next vector
			more: map[uint64][]byte{handlerAt + (pageFault+1)*16: asm(
				"48 C7 04 25 00 40 00 00 67 00 20 00", // mov qword [ptAt], targetAt | present, writable, accessed, dirty, user
				"48 CF",                               // iretq
			)},
			registers: map[int]uint64{x86.RDI: absentBase},
			turn:      5 + 4,
		},
		{
			Name: "sse", About: "loads, stores, additions, shuffles of 16 bytes",
			code: turns(asm(
				"0F 10 04 16",       // movups xmm0, [rsi + rdx]
				"66 0F FE C1",       // paddd xmm0, xmm1
				"66 0F EF D0",       // pxor xmm2, xmm0
				"0F 11 14 17",       // movups [rdi + rdx], xmm2
				"66 0F 70 DA 1B",    // pshufd xmm3, xmm2, 0x1B
				"0F 28 CB",          // movaps xmm1, xmm3
				"83 C2 10",          // add edx, 16
				"81 E2 F0 FF 00 00", // and edx, 0xFFF0
			)),
			registers: map[int]uint64{x86.RSI: codeAt},
			turn:      10,
		},
		{
			Name: "call", About: "calls and returns between functions in different pages",
			code: turns(asm("E8 FB 0F 00 00")), // call codeAt+0x1000
			more: map[uint64][]byte{
				codeAt + 0x1000: asm("53 E8 FA 0F 00 00 5B C3"),    // push rbx; call codeAt+0x2000; pop rbx; ret
				codeAt + 0x2000: asm("55 48 89 E5 48 01 D8 5D C3"), // push rbp; mov rbp, rsp; add rax, rbx; pop rbp; ret
			},
			turn: 1 + 4 + 5 + 2,
		},
		indirect(),
	}
}

// indirect jumps through a table to eight places in different pages, one after the other.
func indirect() *Loop {
	l := &Loop{
		Name: "indirect-jump", About: "jumps through a table to different pages",
		code: turns(asm(
			"44 89 F8",             // mov eax, r15d
			"83 E0 07",             // and eax, 7
			"FF 24 C5 00 80 03 00", // jmp [tableAt + rax*8]
		)),
		more: map[uint64][]byte{},
		turn: 3 + 2 + 2,
	}
	const back = codeAt + 13 // DEC at the end of the turn
	for i := range uint64(8) {
		at := codeAt + 0x1000*(i+1) + 0x80*i
		l.table = append(l.table, at)
		rel := uint32(int64(back) - int64(at+8))
		l.more[at] = append(asm("48 01 C3", "E9"), byte(rel), byte(rel>>8), byte(rel>>16), byte(rel>>24)) // add rbx, rax; jmp back
	}
	return l
}
