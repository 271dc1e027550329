package x86

import (
	"encoding/binary"
	"math/rand/v2"
)

// An image is memory with a program that tries instructions in one mode of the processor, one case after another. It runs
// from reset on any x86: in the interpreter, and on other processors to which it is compared. Each case ends with an
// exception, at the latest that of the INT3 after its instruction, whose handler notes what it found in memory. At the end it writes
// to port 0xF4.
type image struct {
	mode   *tryMode
	limits bool // segments have limits, which QEMU's TCG does not look at
	memory []byte
	cases  []tryCase
}

// A tryMode is how a case's code runs.
type tryMode struct {
	name   string
	real   bool
	v8086  bool // virtual-8086 mode, which is user's
	bits   int  // of code and stack: 16 or 32
	flat   bool
	paging int // levels of page tables: 0, 2, 3, and 4 for long mode
	user   bool
}

var tryModes = []*tryMode{
	{name: "real mode", real: true, bits: 16},
	{name: "16-bit protected mode", bits: 16},
	{name: "32-bit protected mode", bits: 32},
	{name: "32-bit protected mode, flat", bits: 32, flat: true},
	{name: "32-bit protected mode, user", bits: 32, user: true},
	{name: "16-bit protected mode with 32-bit paging, user", bits: 16, paging: 2, user: true},
	{name: "virtual-8086 mode", v8086: true, bits: 16, user: true},
	{name: "virtual-8086 mode with 32-bit paging", v8086: true, bits: 16, paging: 2, user: true},
	{name: "32-bit protected mode with 32-bit paging", bits: 32, paging: 2},
	{name: "32-bit protected mode with PAE paging, user", bits: 32, paging: 3, user: true},
	{name: "32-bit protected mode with PAE paging", bits: 32, paging: 3},
	{name: "compatibility mode, 32-bit, user", bits: 32, paging: 4, user: true},
	{name: "compatibility mode, 32-bit, flat, user", bits: 32, flat: true, paging: 4, user: true},
	{name: "compatibility mode, 32-bit", bits: 32, paging: 4},
	{name: "compatibility mode, 16-bit", bits: 16, paging: 4},
}

// A tryCase is an instruction with what stands around it.
type tryCase struct {
	text      string
	code      []byte
	pre       []byte // of 32- or 64-bit code at privilege 0, before registers are loaded
	gpr       [8]uint32
	flags     uint32
	undefined uint32 // flags that are not compared
	watches   bool   // with a breakpoint on data
	strict    bool   // it is not about limits
}

// Where things are in an image.
const (
	tryNext     = 0x5F8 // where the next case begins
	tryScratch  = 0x600
	tryAt       = 0x610 // where the next record goes
	tryPointers = 0x700 // what LGDT and LIDT load
	tryStubs    = 0x1000
	tryHandler  = 0x1400
	tryGDT      = 0x1800
	tryIDT      = 0x2000
	tryTSS      = 0x2800
	tryStack    = 0x7F00 // privilege 0, below
	tryStart    = 0x8000
	tryPML4     = 0x10000
	tryPDPT     = 0x11000
	tryPD       = 0x12000
	tryPT       = 0x13000 // and a copy in the next page
	tryData     = 0x20000 // 64 KiB, of which tryKept bytes are looked at
	tryKept     = 0x7C00
	tryCode     = 0x30000
	tryStride   = 512
	tryMost     = 350
	tryOut      = 0x64000 // a record for each case
	tryCopy     = 0x90000
	tryTop      = 0xA0000
	tryAlias    = 0xB0000 // with paging, data without its pages' rights

	tryVectors = 64
	tryRecord  = 100 // bytes of the stack, with registers and the frame
	tryTail    = 12  // CR2, and sums of data and page table
)

// Selectors.
const (
	tryCode32 = 0x08
	tryFlat   = 0x10
	tryCode64 = 0x18
	tryCS     = 0x20
	tryDS     = 0x28
	trySS     = 0x30
	tryFS     = 0x38
	tryGS     = 0x40
	tryTR     = 0x48
	trySlot   = 0x58 // descriptors that cases write, to the end
	tryLimit  = 0xB8
)

// A text is code under construction.
type text struct{ b []byte }

func (x *text) put(b ...byte)   { x.b = append(x.b, b...) }
func (x *text) word(v uint16)   { x.b = binary.LittleEndian.AppendUint16(x.b, v) }
func (x *text) dword(v uint32)  { x.b = binary.LittleEndian.AppendUint32(x.b, v) }
func (x *text) hex(code string) { b, _ := assemble(code); x.put(b...) }

// store is MOV DWORD [address], v in 32- and 64-bit code.
func (x *text) store(address, v uint32) {
	x.put(0xC7, 0x04, 0x25)
	x.dword(address)
	x.dword(v)
}

// segmentTo loads a segment register through AX, in 32- and 64-bit code.
func (x *text) segmentTo(reg byte, selector uint16) {
	x.put(0x66, 0xB8)
	x.word(selector)
	x.put(0x8E, 0xC0|reg<<3)
}

func (x *text) push(v uint32) {
	x.put(0x68)
	x.dword(v)
}

// tryDescriptor makes a segment descriptor. With a limit of 1 MiB and more it is in pages.
func tryDescriptor(base, limit, attributes uint32) uint64 {
	if limit > 0xFFFFF {
		limit, attributes = limit>>12, attributes|segGranular
	}
	return uint64(limit&0xFFFF) | uint64(base&0xFF_FFFF)<<16 | uint64(attributes&0xF0FF)<<40 | uint64(limit>>16)<<48 | uint64(base>>24)<<56
}

func (m *image) dpl() uint32 {
	if m.mode.user {
		return 3
	}
	return 0
}

func (m *image) long() bool { return m.mode.paging == 4 }

// descriptor returns the descriptor of one of the case's segments.
func (m *image) descriptor(selector uint16, base uint32) uint64 {
	attributes, limit := uint32(segPresent|segData|m.dpl()<<5), uint32(low)
	if m.mode.bits == 32 {
		attributes |= segBig
	}
	if m.mode.flat {
		base = 0
	}
	if m.limits && !m.mode.flat {
		limit = map[uint16]uint32{tryCS: 0x1FF, tryDS: 0xFF7, trySS: 0xFFFF, tryFS: 0x3FF, tryGS: 0x7FF}[selector]
		if selector == tryGS {
			attributes |= segExpandDown
		}
	}
	if selector == tryCS {
		attributes |= segCode
	}
	return tryDescriptor(base, limit, attributes)
}

// newImage makes an image of cases.
func newImage(mode *tryMode, limits bool, random *rand.Rand, cases []tryCase) *image {
	m := &image{mode: mode, limits: limits, memory: make([]byte, tryTop), cases: cases}
	for i := range tryKept / 4 {
		v := random.Uint32()
		if random.IntN(2) == 0 {
			v &= 0xFF // a small number is more of an address
		}
		binary.LittleEndian.PutUint32(m.memory[tryData+4*i:], v)
	}
	copy(m.memory[tryCopy:], m.memory[tryData:tryData+tryKept])
	if mode.real {
		m.layReal()
	} else {
		m.layProtected()
	}
	for i := range cases {
		at := tryCode + i*tryStride
		var pre []byte
		if mode.real {
			pre = m.preReal(&cases[i], at)
		} else {
			pre = m.pre(&cases[i], at)
		}
		if len(pre) > tryStride/2 || len(cases[i].code) > 32 {
			panic("BUG: a case is too long")
		}
		code := m.memory[at+tryStride/2 : at+tryStride]
		for j := range code {
			code[j] = 0xCC
		}
		copy(m.memory[at:], pre)
		copy(code, cases[i].code)
	}
	end := tryCode + len(cases)*tryStride
	copy(m.memory[end:], []byte{0xBA, 0xF4, 0, 0xEE, 0xF4}) // mov dx, 0xF4; out dx, al; hlt in 16-bit code
	if !mode.real {
		copy(m.memory[end:], []byte{0xBA, 0xF4, 0, 0, 0, 0xEE, 0xF4})
	}
	return m
}

func (m *image) qword(at int, v uint64) { binary.LittleEndian.PutUint64(m.memory[at:], v) }

// layReal lays out what real mode needs.
func (m *image) layReal() {
	for v := range tryVectors {
		binary.LittleEndian.PutUint32(m.memory[4*v:], uint32(tryStubs+8*v))
		stub := m.memory[tryStubs+8*v:]
		copy(stub, []byte{0x68, byte(v), 0, 0xE9}) // push v; jmp handler
		binary.LittleEndian.PutUint16(stub[4:], uint16(tryHandler-(tryStubs+8*v+6)))
	}
	var x text
	x.hex("66 60 1E 06 0F A0 0F A8 8C D0 8E D8 66 0F B7 F4")                      // pushad; push ds, es, fs, gs; mov ax, ss; mov ds, ax; movzx esi, sp
	x.hex("2E 8E 06" + le(tryAt, 2) + "31 FF B9" + le(tryRecord, 2) + "FC F3 A4") // mov es, cs:[at]; xor di, di; mov cx; cld; rep movsb
	x.hex("31 C0 8E D0 BC" + le(tryStack, 2))                                     // xor ax, ax; mov ss, ax; mov sp
	x.hex("B8" + le(tryData>>4, 2) + "8E D8 31 F6 B9" + le(tryKept/4, 2) + "66 31 DB")
	x.hex("66 AD 66 01 C3 66 C1 C3 05 E2 F5")                                                                                 // 1: lodsd; add ebx, eax; rol ebx, 5; loop 1b
	x.hex("31 C0 8E D8 66 A3" + le(tryScratch, 2))                                                                            // xor ax, ax; mov ds, ax; mov [scratch], eax
	x.hex("66 C7 06" + le(tryScratch, 2) + le(0, 4))                                                                          // mov dword [scratch], 0
	x.hex("66 89 1E" + le(tryScratch+4, 2) + "66 C7 06" + le(tryScratch+8, 2) + le(0, 4))                                     // mov [scratch+4], ebx; mov dword [scratch+8], 0
	x.hex("BE" + le(tryScratch, 2) + "B9" + le(tryTail, 2) + "F3 A4 83 06" + le(tryAt, 2) + le((tryRecord+tryTail)/16, 1))    // mov si; mov cx; rep movsb; add word [at], …
	x.hex("B8" + le(tryCopy>>4, 2) + "8E D8 B8" + le(tryData>>4, 2) + "8E C0 31 F6 31 FF B9" + le(tryKept/4, 2) + "66 F3 A5") // rep movsd
	x.hex("BF 00 7F B9 84 00 31 C0 F3 AB")                                                                                    // the stack
	x.hex("31 C0 8E D8 8E C0 FF 2E" + le(tryNext, 2))                                                                         // jmp far [next]
	copy(m.memory[tryHandler:], x.b)
	binary.LittleEndian.PutUint16(m.memory[tryAt:], tryOut>>4)
	x = text{}
	x.hex("FA 31 C0 8E D8 8E D0 BC" + le(tryStack, 2) + "EA 00 00" + le(tryCode>>4, 2))
	copy(m.memory[tryStart:], x.b)
}

// preReal is what comes before a case in real mode. It runs at CS:0.
func (m *image) preReal(c *tryCase, at int) []byte {
	var x text
	x.hex("C7 06" + le(tryNext, 2) + "00 00 C7 06" + le(tryNext+2, 2) + le(uint64(at+tryStride)>>4, 2)) // mov word [next], …
	x.put(c.pre...)
	for i, s := range []uint16{tryData >> 4, tryData >> 4, tryData>>4 + 0x40, tryData>>4 + 0x80} { // ES, SS, FS, GS
		x.put(0xB8)
		x.word(s)
		x.put(0x8E, 0xC0|[]byte{0, 2, 4, 5}[i]<<3)
	}
	x.put(0x66, 0xBC)
	x.dword(c.gpr[4])
	x.put(0x68)
	x.word(uint16(c.flags))
	x.put(0x9D) // popf
	x.hex("B8" + le(tryData>>4, 2) + "8E D8")
	for r, v := range c.gpr {
		if r != 4 {
			x.put(0x66, byte(0xB8+r))
			x.dword(v)
		}
	}
	x.put(0xEA)
	x.word(tryStride / 2)
	x.word(uint16(at >> 4))
	return x.b
}

// layProtected lays out tables, handlers and the way to the mode.
func (m *image) layProtected() {
	for s, d := range map[int]uint64{
		tryCode32: 0x00CF9B000000FFFF, tryFlat: 0x00CF93000000FFFF, tryCode64: 0x00AF9B000000FFFF,
		tryDS: m.descriptor(tryDS, tryData), trySS: m.descriptor(trySS, tryData), tryFS: m.descriptor(tryFS, tryData+0x400), tryGS: m.descriptor(tryGS, tryData+0x800),
		tryTR: tryDescriptor(tryTSS, 0x67, segPresent|typeTSSAvail),
	} {
		m.qword(tryGDT+s, d)
	}
	binary.LittleEndian.PutUint32(m.memory[tryTSS+4:], tryStack) // ESP0 or RSP0
	if m.long() {
		m.qword(tryTSS+0x24, tryStack) // IST1
	} else {
		binary.LittleEndian.PutUint16(m.memory[tryTSS+8:], tryFlat)
	}
	if m.mode.v8086 {
		m.lay8086()
	}
	for v := range tryVectors {
		at := uint64(tryStubs + 8*v)
		stub := m.memory[at:]
		copy(stub, []byte{0x6A, byte(v), 0xE9}) // push v; jmp handler
		binary.LittleEndian.PutUint32(stub[3:], uint32(tryHandler-(int(at)+7)))
		if m.long() {
			m.qword(tryIDT+16*v, at|tryCode64<<16|1<<32|0x8E00<<32)
		} else {
			m.qword(tryIDT+8*v, at|tryCode32<<16|0x8E00<<32)
		}
	}
	// BP, OF, and one for cases may be called by programs.
	for _, v := range []int{3, 4, 0x20} {
		size := 8
		if m.long() {
			size = 16
		}
		m.memory[tryIDT+size*v+5] |= 0x60
	}
	x := text{}
	if m.long() {
		for r := byte(0); r < 8; r++ {
			x.put(0x50 + r)
		}
		x.hex("8C D8 50 8C C0 50 0F A0 0F A8 48 89 E6") // mov eax, ds; push rax; …; mov rsi, rsp
	} else {
		x.hex("60 8C D8 50 8C C0 50 8C E0 50 8C E8 50 8C D0 8E D8 89 E6") // pushad; mov eax, ds; push eax; …; mov eax, ss; mov ds, eax; mov esi, esp
		if m.mode.bits == 16 && !m.mode.user {
			x.hex("0F B7 F4") // movzx esi, sp
		}
	}
	n := uint64(tryRecord)
	if m.long() {
		n += 80
	}
	x.segmentTo(0, tryFlat)
	x.hex("FC B9" + le(n, 4) + "26 8B 3C 25" + le(tryAt, 4)) // mov ecx; mov edi, es:[at], since DS is the stack's
	x.hex("F3 A4")                                           // rep movsb
	for _, r := range []byte{2, 3, 4, 5} {
		x.segmentTo(r, tryFlat)
	}
	x.hex("BC" + le(tryStack, 4) + "57 0F 20 D0 89 04 25" + le(tryScratch, 4))                         // mov eax, cr2; mov [scratch], eax
	x.hex("0F 21 F0 25 0F E0 00 00 C1 E0 10 31 04 25" + le(tryScratch, 4) + "31 C0 0F 23 F8 0F 23 F0") // DR6's bits to that; DR7 = 0; DR6 = 0
	sum := func(from, n, to uint64) {
		x.hex("BE" + le(from, 4) + "B9" + le(n/4, 4) + "31 DB AD 01 C3 C1 C3 05 E2 F8 89 1C 25" + le(to, 4))
	}
	data := uint64(tryData)
	if m.mode.paging > 0 {
		data = tryAlias
	}
	sum(data, tryKept, tryScratch+4)
	sum(tryPT, 0x1000, tryScratch+8)
	x.hex("5F BE" + le(tryScratch, 4) + "B9" + le(tryTail, 4) + "F3 A4 89 3C 25" + le(tryAt, 4)) // pop edi; …; mov [at], edi
	x.hex("BE" + le(tryCopy, 4) + "BF" + le(data, 4) + "B9" + le(tryKept/4, 4) + "F3 A5")
	x.hex("BE" + le(tryPT+0x1000, 4) + "BF" + le(tryPT, 4) + "B9" + le(0x400, 4) + "F3 A5")
	x.hex("BF" + le(data+0x7F00, 4) + "B9 42 00 00 00 31 C0 F3 AB") // the stack
	x.hex("BF" + le(tryStack-0x80, 4) + "B9 20 00 00 00 F3 AB")     // and that of privilege 0
	x.hex("0F 22 D0 0F 20 D8 0F 22 D8 6A 02 9D")                    // CR2 = 0; reload CR3; flags
	x.hex("FF 24 25" + le(tryNext, 4))                              // jmp [next]
	copy(m.memory[tryHandler:], x.b)
	binary.LittleEndian.PutUint32(m.memory[tryNext:], tryCode)
	binary.LittleEndian.PutUint32(m.memory[tryAt:], tryOut)

	binary.LittleEndian.PutUint16(m.memory[tryPointers:], tryLimit-1)
	binary.LittleEndian.PutUint32(m.memory[tryPointers+2:], tryGDT)
	binary.LittleEndian.PutUint16(m.memory[tryPointers+8:], tryVectors*16-1)
	binary.LittleEndian.PutUint32(m.memory[tryPointers+10:], tryIDT)
	x = text{}
	x.hex("FA 31 C0 8E D8 66 0F 01 16" + le(tryPointers, 2) + "66 0F 01 1E" + le(tryPointers+8, 2))    // lgdt; lidt
	x.hex("0F 20 C0 66 83 C8 23 66 83 E0 F3 0F 22 C0 66 EA" + le(tryStart+0x80, 4) + le(tryCode32, 2)) // cr0 |= PE, MP, NE; &= ~(EM|TS); jmp
	copy(m.memory[tryStart:], x.b)
	x = text{}
	for _, r := range []byte{0, 2, 3, 4, 5} {
		x.segmentTo(r, tryFlat)
	}
	x.hex("BC" + le(tryStack, 4) + "B8" + le(m.layPages(), 4) + "0F 22 D8") // mov cr3, eax
	x.hex("0F 20 E0 0D" + le(m.cr4(), 4) + "0F 22 E0")                      // cr4
	if m.mode.paging >= 3 {
		efer := uint64(EFERNXE)
		if m.long() {
			efer |= EFERLME
		}
		x.hex("B9" + le(MSREFER, 4) + "0F 32 0D" + le(efer, 4) + "0F 30")
	}
	if m.mode.paging > 0 {
		x.hex("0F 20 C0 0D" + le(CR0PG|CR0WP, 4) + "0F 22 C0")
	}
	x.hex("66 B8" + le(tryTR, 2) + "0F 00 D8") // ltr ax
	if m.long() {
		x.hex("EA" + le(tryCode, 4) + le(tryCode64, 2))
	} else {
		x.hex("EA" + le(tryCode, 4) + le(tryCode32, 2))
	}
	copy(m.memory[tryStart+0x80:], x.b)
}

func (m *image) cr4() uint64 {
	v := uint64(CR4OSFXSR | CR4DE)
	switch m.mode.paging {
	case 2:
		v |= CR4PSE
	case 3, 4:
		v |= CR4PAE
	}
	return v
}

// layPages lays out page tables, which map memory to itself, and returns what CR3 is. Of the pages of data the second
// cannot be written, the third is absent, and the fourth is the supervisor's.
func (m *image) layPages() uint64 {
	const all = pteP | pteW | pteU | pteA
	size := 8
	if m.mode.paging == 2 {
		size = 4
	}
	for page := uint64(0); page < tryTop>>12+0x20; page++ {
		v := page<<12 | all | pteD
		if page >= tryAlias>>12 {
			v -= tryAlias - tryData
		}
		switch page {
		case tryData>>12 + 1:
			v &^= pteW | pteD
		case tryData>>12 + 2:
			v = 0
		case tryData>>12 + 3:
			v &^= pteU
		case tryData>>12 + 4:
			v &^= pteA | pteD
		}
		for _, table := range []int{tryPT, tryPT + 0x1000} {
			at := table + int(page)*size
			if size == 4 {
				binary.LittleEndian.PutUint32(m.memory[at:], uint32(v))
			} else {
				m.qword(at, v)
			}
		}
	}
	switch m.mode.paging {
	case 2:
		binary.LittleEndian.PutUint32(m.memory[tryPD:], tryPT|all)
		binary.LittleEndian.PutUint32(m.memory[tryPD+4:], 4<<20|all|ptePS|pteD)
		return tryPD
	case 3:
		m.qword(tryPDPT, tryPD|pteP)
		m.qword(tryPD, tryPT|all)
		return tryPDPT
	}
	m.qword(tryPML4, tryPDPT|all)
	m.qword(tryPDPT, tryPD|all)
	m.qword(tryPD, tryPT|all)
	return tryPML4
}

// pre is what comes before a case, at privilege 0 in flat 32- or 64-bit code. It ends with IRET to the case.
func (m *image) pre(c *tryCase, at int) []byte {
	var x text
	x.store(tryNext, uint32(at+tryStride))
	ip := uint32(tryStride / 2)
	if m.mode.flat {
		ip += uint32(at)
	}
	d := m.descriptor(tryCS, uint32(at))
	x.store(tryGDT+tryCS, uint32(d))
	x.store(tryGDT+tryCS+4, uint32(d>>32))
	x.put(c.pre...)
	if m.mode.v8086 {
		m.push8086(&x, c, at)
	} else {
		m.pushFrame(&x, c, ip)
	}
	for r, v := range c.gpr {
		if r != 4 {
			x.put(byte(0xB8 + r))
			x.dword(v)
		}
	}
	if m.long() {
		x.put(0x48)
	}
	x.put(0xCF)
	return x.b
}

// pushFrame loads the case's segments, and pushes the frame with which IRET goes to it.
func (m *image) pushFrame(x *text, c *tryCase, ip uint32) {
	rpl := uint16(m.dpl())
	for i, s := range []uint16{tryDS, tryDS, tryFS, tryGS} {
		x.segmentTo([]byte{0, 3, 4, 5}[i], s|rpl)
	}
	full := m.long() || m.mode.user
	if full {
		x.push(uint32(trySS | rpl))
		x.push(c.gpr[4])
	} else {
		x.segmentTo(2, trySS)
		x.put(0xBC)
		x.dword(c.gpr[4])
	}
	x.push(c.flags)
	x.push(uint32(tryCS | rpl))
	x.push(ip)
}
