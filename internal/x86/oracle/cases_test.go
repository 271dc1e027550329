package oracle

// pastFailures are cases on which the interpreter was wrong, shrunk, as [Case.Literal] printed them.
var pastFailures = []*Case{
	{
		// The return address is stored before the target turns out to be no address.
		Name: "CALL r/m64",
		Code: []byte{0xff, 0xd6},
		In: State{
			RIP: 0x4000087c, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{4: 0x500010c8, 6: 0x4a5b85630b383f5c},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// A stack that cannot be written faults at the push, not at the target.
		Name: "CALL r/m64",
		Code: []byte{0xff, 0xd6},
		In: State{
			RIP: 0x4000087c, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{6: 0x4a5b85630b383f5c},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// The pushes fault before the new top of the stack is looked at.
		Name: "ENTER imm16, imm8",
		Code: []byte{0xc8, 0xfe, 0x7f, 0xe1},
		In: State{
			RIP: 0x4000095c, Flags: 0x202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// RDI's side is read first.
		Name: "CMPSW",
		Code: []byte{0xa7},
		In: State{
			RIP: 0x40000a09, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{7: 0x50004890},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// A fault in the middle leaves the flags as they were before the instruction.
		Name: "SCASQ",
		Code: []byte{0xf3, 0x48, 0xaf},
		In: State{
			RIP: 0x40000421, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{0: 0x7ffe7fff9be28000, 1: 0x9, 7: 0x50003ff8},
			X87: X87{FCW: 0x37f},
		},
		Mem: []Bytes{
			{0x50003ff9, []byte{0x80, 0xe2, 0x9b, 0xff, 0x7f, 0xfe, 0x7f}},
		},
	},
	{
		// Addresses of 32 bits are written back even where nothing is stored.
		Name: "STOSW",
		Code: []byte{0x67, 0xf3, 0xab},
		In: State{
			RIP: 0x40000f4b, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{7: 0xc5fb32af50001fff},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// A register that is not equal keeps its upper half.
		Name: "CMPXCHG r/m32, r32",
		Code: []byte{0x45, 0x0f, 0xb1, 0xce},
		In: State{
			RIP: 0x40000d0d, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{14: 0xffffffffffffff95},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// INT 8 is no double fault.
		Name: "INT imm8",
		Code: []byte{0xcd, 0x08},
		In: State{
			RIP: 0x40000617, Flags: 0x202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// Only 16 bits are read.
		Name: "MOVSXD r16, r/m16",
		Code: []byte{0x66, 0x41, 0x63, 0x40, 0xc9},
		In: State{
			RIP: 0x400005b7, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{8: 0x50004035},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// A conversion that raises #XM has entered the MMX state.
		Name: "CVTPD2PI mm, xmm/m128",
		Code: []byte{0x66, 0x0f, 0x2d, 0xcb},
		In: State{
			RIP: 0x4000057a, Flags: 0x202, MXCSR: 0xd00,
			XMM: [16][2]uint64{3: {0xfff8000000000000, 0x0}},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// Conversions from memory have nothing to do with MMX: no #MF for a pending exception.
		Name: "FLDZ; CVTPI2PS xmm, mm/m64",
		Code: []byte{0xd9, 0xee, 0x44, 0x0f, 0x2a, 0x6c, 0x24, 0xb2},
		In: State{
			RIP: 0x40000010, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{4: 0x50000100},
			X87: X87{FCW: 0x37e, FTW: 0xff},
		},
	},
	{
		// A store that faults has moved the top of the stack.
		Name: "MOVD r/m32, mm",
		Code: []byte{0x0f, 0x7e, 0x25, 0x6a, 0x16, 0x00, 0x10},
		In: State{
			RIP: 0x4000098d, Flags: 0x202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f, FSW: 0x627b, FTW: 0x6c},
		},
	},
	{
		// What is not stored need not be writable.
		Name: "XSAVE64 m576byte",
		Code: []byte{0x48, 0x0f, 0xae, 0x25, 0x6c, 0x27, 0x00, 0x10},
		In: State{
			RIP: 0x4000074c, Flags: 0x202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// Non-canonical comes before misaligned: #SS through RBP.
		Name: "XSAVE m576byte",
		Code: []byte{0x0f, 0xae, 0x65, 0x00},
		In: State{
			RIP: 0x40000dc1, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{5: 0x4000000000000001},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// x87's part is read also where the header says that it is not there.
		Name: "XRSTOR m576byte",
		Code: []byte{0x64, 0x42, 0x0f, 0xae, 0x2c, 0x63},
		In: State{
			RIP: 0x400005a7, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{0: 0x1, 3: 0xffff9abd2ef677f2, 12: 0xffffffffffffff97},
			X87: X87{FCW: 0x37f},
		},
		Skip: Skip{CR2: true},
	},
	{
		// Misaligned with AC set.
		Name: "FCOM m32",
		Code: []byte{0xd8, 0x14, 0xa1},
		In: State{
			RIP: 0x400001b4, Flags: 0x40253, MXCSR: 0x1f80,
			GPR: [16]uint64{1: 0x500010e1},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// #AC comes before #PF,
		Name: "ADC r/m16, r16",
		Code: []byte{0x66, 0x11, 0x1c, 0x25, 0xff, 0x1f, 0x00, 0x50},
		In: State{
			RIP: 0x400001b4, Flags: 0x40202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// after #GP,
		Name: "ADC r16, r/m16",
		Code: []byte{0x66, 0x13, 0xbf, 0xe3, 0x9d, 0x3a, 0xf4},
		In: State{
			RIP: 0x400001b4, Flags: 0x40202, MXCSR: 0x1f80,
			GPR: [16]uint64{7: 0x4000000000000000},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// and after #GP of an operand with an alignment of its own only where it is aligned to 4.
		Name: "FXSAVE64 m512byte",
		Code: []byte{0x0f, 0xae, 0x04, 0x25, 0x91, 0x1f, 0x00, 0x50},
		In: State{
			RIP: 0x400001b4, Flags: 0x40202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
		Skip: Skip{CR2: true},
	},
	{
		// An encoding that is not defined does not touch its operand.
		Name: "RORX r32, r/m32, imm8",
		Code: []byte{0xc4, 0x63, 0x4b, 0xf0, 0x3c, 0x25, 0xe9, 0x42, 0x00, 0x50, 0x01},
		In: State{
			RIP: 0x40000c25, Flags: 0x202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// The limit's bits in the access rights.
		Name: "LAR r32, r/m16",
		Code: []byte{0x41, 0x0f, 0x02, 0xf1},
		In: State{
			RIP: 0x40000d43, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{9: 0xcdfe6535bd06002a},
			X87: X87{FCW: 0x37f},
		},
	},
	{
		// Bit 63 says in XCOMP_BV that the format is compacted, and is no component.
		Name: "XRSTOR64 m576byte",
		Code: []byte{0x49, 0x0f, 0xae, 0xa8, 0x3d, 0xd2, 0xc9, 0x6c},
		In: State{
			RIP: 0x40000482, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{8: 0xffffffffe3366843},
			X87: X87{FCW: 0x37f},
		},
		Mem: []Bytes{
			{0x50003c87, []byte{0x80, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80}},
		},
		Skip: Skip{CR2: true},
	},
	{
		// The accumulator in the address: it changes before the store.
		Name: "CMPXCHG r/m32, r32",
		Code: []byte{0x0f, 0xb1, 0xa8, 0xfd, 0x3f, 0x00, 0x50},
		In: State{
			RIP: 0x400005f6, Flags: 0x202, MXCSR: 0x1f80,
			GPR: [16]uint64{0: 0xffffffffffffffff},
			X87: X87{FCW: 0x37f},
		},
		Skip: Skip{Flags: 0x810, Early: 0x810},
	},
	{
		// A page fault within the first 15 bytes comes before the instruction is too long.
		Name: "PSHUFW mm, mm/m64, imm8",
		Code: []byte{0x36, 0x2e, 0x26, 0x2e, 0x26, 0x2e, 0x2e, 0x26, 0x36, 0x36, 0x42, 0x0f, 0x70, 0x24, 0xcf, 0xce},
		In: State{
			RIP: 0x40001ff2, Flags: 0x202, MXCSR: 0x1f80,
			X87: X87{FCW: 0x37f},
		},
	},
}
