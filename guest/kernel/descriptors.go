//go:build linux && amd64

package kernel

import (
	"sync/atomic"
	"unsafe"
)

// A processor is what the kernel knows of one processor; in the kernel GS points to it.
type processor struct {
	self     uint64
	stack    uint64 // the end of the stack on which it serves system calls
	tls      uint64 // FS base for the kernel's g
	frameEnd uint64 // of the thread that runs: where SYSCALL pushes its frame
	threadFS uint64 // FS base of that thread
	scratch  uint64
	running  uint64 // that thread's index; noThread for none
	fx       uint64 // where its floating-point state is, 0 where it needs none

	gdt [8]uint64
	tss [26]uint32
	_   uint32

	drivers drivers

	index     uint64        // in kernel.cpus
	id        uint32        // of its local APIC
	idle      bool          // it rests, or is about to, and is to be called when there is something to do
	watches   bool          // it looks when threads wake by themselves
	last      uint64        // the thread that it ran last
	seen      atomic.Uint64 // kernel.changes as it has looked at them
	inProgram atomic.Uint32
	there     atomic.Uint32 // it has come
	since     uint64        // until when the time of the thread that it runs was accounted
	tickAt    uint64        // when its timer interrupts for a timer of that thread; 0 where it does at the end of a slice

	tlsBlock [2]uint64 // the kernel's g, by FS base -8
	g        [128]uint64
}

// Segments (entry_amd64.s has the selectors): SYSCALL and IRET need them in this order, of which IA32_STAR gives two.
var segments = [...]uint64{
	1: 0x00AF_9B00_0000_FFFF, // 0x08: the kernel's code, 64-bit
	2: 0x00CF_9300_0000_FFFF, // 0x10: the kernel's data
	3: 0x00CF_FB00_0000_FFFF, // 0x18: a program's code, 32-bit, which there is not
	4: 0x00CF_F300_0000_FFFF, // 0x20: a program's data
	5: 0x00AF_FB00_0000_FFFF, // 0x28: a program's code, 64-bit
}

const (
	segKernelCode = 0x08
	segUserData   = 0x20 | 3
	segUserCode   = 0x28 | 3

	// A stack for each kind of exception that can come while another is served: page faults, those by which the
	// platform asks for help (#VE, #VC), double faults, and the rest (SDM vol. 3, section 7.14.5).
	istPageFault = 1
	istPlatform  = 2
	istDouble    = 3
	istOther     = 4
	istStackSize = 32 << 10
	stackSize    = 64 << 10
)

// Vectors (SDM vol. 3, table 7-1; APM vol. 2, table 8-1).
const (
	vectorDE = 0
	vectorDB = 1
	vectorBP = 3
	vectorUD = 6
	vectorDF = 8
	vectorNP = 11
	vectorSS = 12
	vectorGP = 13
	vectorPF = 14
	vectorMF = 16
	vectorXM = 19
	vectorVE = 20
	vectorVC = 29

	//lint:ignore U1000 entry_amd64.s has it
	vectorSyscall = 0x100 // no vector: how a frame of SYSCALL is marked
)

// prepare fills in p's tables. The stacks begin at a virtual address and are processorStacks long.
func (p *processor) prepare(idt *[512]uint64, stacks uint64) {
	p.self = uint64(uintptr(unsafe.Pointer(p)))
	p.stack = stacks + stackSize
	p.tlsBlock[0] = uint64(uintptr(unsafe.Pointer(&p.g)))
	p.tls = uint64(uintptr(unsafe.Pointer(&p.tlsBlock))) + 8
	copy(p.gdt[:], segments[:])
	tss := uint64(uintptr(unsafe.Pointer(&p.tss)))
	const limit, available = 103, 0x89
	p.gdt[6] = limit | tss&0xFF_FFFF<<16 | available<<40 | tss>>24&0xFF<<56
	p.gdt[7] = tss >> 32
	p.setStack(1, p.stack) // RSP0: for what has no stack of its own
	for i := uint64(1); i <= istOther; i++ {
		p.setStack(8+2*i-1, stacks+stackSize+i*istStackSize)
	}
	gates, _, _, _, _ := addressOf()
	for v := uint64(0); v < 256; v++ {
		ist := uint64(istOther)
		switch v {
		case vectorPF:
			ist = istPageFault
		case vectorVE, vectorVC:
			ist = istPlatform
		case vectorDF:
			ist = istDouble
		}
		gate := uint64(0x8E) // an interrupt gate
		if v == vectorBP {
			gate |= 3 << 5 // a program's INT3 may use it (SDM vol. 3, section 7.12.1.2)
		}
		handler := gates + 8*v
		idt[2*v] = handler&0xFFFF | segKernelCode<<16 | ist<<32 | gate<<40 | handler>>16&0xFFFF<<48
		idt[2*v+1] = handler >> 32
	}
}

const processorStacks = stackSize + istOther*istStackSize

// setStack stores a stack's end in the task state segment, at a word of it (SDM vol. 3, figure 9-11).
func (p *processor) setStack(word uint64, end uint64) {
	p.tss[word], p.tss[word+1] = uint32(end), uint32(end>>32)
}

// load makes the processor use the tables.
func (p *processor) load(idt *[512]uint64) {
	var pointer [2]uint64 // limit in the upper 16 bits of the first, so that the address is in the second
	pointer[0], pointer[1] = (8*8-1)<<48, uint64(uintptr(unsafe.Pointer(&p.gdt)))
	lgdt(uint64(uintptr(unsafe.Pointer(&pointer))) + 6)
	pointer[0], pointer[1] = (16*256-1)<<48, uint64(uintptr(unsafe.Pointer(idt)))
	lidt(uint64(uintptr(unsafe.Pointer(&pointer))) + 6)
	loadSegments()

	_, syscalled, _, _, _ := addressOf()
	const (
		msrEFER, msrSTAR, msrLSTAR, msrFMASK        = 0xC000_0080, 0xC000_0081, 0xC000_0082, 0xC000_0084
		msrFSBase, msrGSBase, msrKernelGS, syscalls = 0xC000_0100, 0xC000_0101, 0xC000_0102, 1
		flags                                       = 0x4_7700 // TF, IF, DF, IOPL, NT, AC
	)
	if efer := rdmsr(msrEFER); efer&syscalls == 0 {
		wrmsr(msrEFER, efer|syscalls)
	}
	wrmsr(msrSTAR, segKernelCode<<32|0x18<<48)
	wrmsr(msrLSTAR, syscalled)
	wrmsr(msrFMASK, flags)
	wrmsr(msrFSBase, p.tls)
	wrmsr(msrGSBase, p.self)
	wrmsr(msrKernelGS, 0)

	const ne, ts, em, mp = 1 << 5, 1 << 3, 1 << 2, 1 << 1
	if cr0 := readCR0(); cr0&(ts|em) != 0 || cr0&mp == 0 {
		writeCR0(cr0&^(ts|em) | mp)
	}
	// FXSAVE and SSE; a kernel that shares its program's pages can do without protection from executing and reading them.
	// Where firmware has switched XSAVE on, the Go runtime would use AVX, of which a trap keeps only what FXSAVE does: a
	// page fault in the middle of a copy would lose half of it.
	const fxsr, xmm, osxsave, smep, smap = 1 << 9, 1 << 10, 1 << 18, 1 << 20, 1 << 21
	if cr4 := readCR4(); cr4&(fxsr|xmm) != fxsr|xmm || cr4&(osxsave|smep|smap) != 0 {
		writeCR4(cr4&^(osxsave|smep|smap) | fxsr | xmm)
	}
}
