package processors

// A Start is how a processor begins when it has come to 64-bit mode.
type Start struct {
	CR3   uint64 // of page tables that have the trampoline, if one is used, at its guest-physical address
	Entry uint64 // RIP
	Stack uint64 // RSP
	RBX   uint64 // a value of the guest's
	EFER  uint64 // bits that are to be set beside LME: SCE, NXE
}

// TrampolineSize is a trampoline's size in bytes: a page.
const TrampolineSize = 4096

// Offsets in a trampoline.
const (
	// LongEntry is where a processor in 64-bit mode enters it, with page tables in which the trampoline is at its
	// guest-physical address. One that is in real mode enters at the beginning.
	LongEntry = 0x80

	trampolineGDT     = 0x100 // a null descriptor, and code of 64 bits
	trampolineGDTR    = 0x110
	trampolineFar     = 0x118 // where to go in 64-bit mode: offset and selector
	trampolineCR3     = 0x120
	trampolineEntry   = 0x128
	trampolineStack   = 0x130
	trampolineRBX     = 0x138
	trampolineEFER    = 0x140
	trampolineCode    = 0x08 // selector
	trampolineCode64  = 0x00AF_9B00_0000_FFFF
	trampolineEFERLME = 1 << 8
)

// realCode takes a processor from real mode, where CS:IP is where a start-up interrupt led, to 64-bit mode: PAE and EFER.LME,
// and then PE and PG at once (SDM vol. 3, section 10.8.5).
var realCode = [...]byte{
	0xFA,       // cli
	0x8C, 0xC8, // mov ax, cs
	0x8E, 0xD8, // mov ds, ax
	0x66, 0x0F, 0x01, 0x16, 0x10, 0x01, // lgdt [trampolineGDTR], of 32 bits
	0x0F, 0x20, 0xE0, // mov eax, cr4
	0x66, 0x83, 0xC8, 0x20, // or eax, PAE
	0x0F, 0x22, 0xE0, // mov cr4, eax
	0x66, 0xA1, 0x20, 0x01, // mov eax, [trampolineCR3]
	0x0F, 0x22, 0xD8, // mov cr3, eax
	0x66, 0xB9, 0x80, 0x00, 0x00, 0xC0, // mov ecx, EFER
	0x0F, 0x32, // rdmsr
	0x66, 0x0B, 0x06, 0x40, 0x01, // or eax, [trampolineEFER]
	0x0F, 0x30, // wrmsr
	0x66, 0xB8, 0x33, 0x00, 0x01, 0x80, // mov eax, PG | WP | NE | ET | MP | PE
	0x0F, 0x22, 0xC0, // mov cr0, eax
	0x66, 0xFF, 0x2E, 0x18, 0x01, // jmp far [trampolineFar], of 16:32 bits
}

// longCode goes on in 64-bit mode. EFER is written only where that changes it.
var longCode = [...]byte{
	0x48, 0x8D, 0x35, 0x79, 0xFF, 0xFF, 0xFF, // lea rsi, [rip - LongEntry - 7]: the trampoline
	0xFA,                         // cli
	0xB9, 0x80, 0x00, 0x00, 0xC0, // mov ecx, EFER
	0x0F, 0x32, // rdmsr
	0x89, 0xC3, // mov ebx, eax
	0x0B, 0x86, 0x40, 0x01, 0x00, 0x00, // or eax, [rsi + trampolineEFER]
	0x39, 0xD8, // cmp eax, ebx
	0x74, 0x02, // je over the next
	0x0F, 0x30, // wrmsr
	0x48, 0x8B, 0x86, 0x20, 0x01, 0x00, 0x00, // mov rax, [rsi + trampolineCR3]
	0x0F, 0x22, 0xD8, // mov cr3, rax
	0x48, 0x8B, 0xA6, 0x30, 0x01, 0x00, 0x00, // mov rsp, [rsi + trampolineStack]
	0x48, 0x8B, 0x9E, 0x38, 0x01, 0x00, 0x00, // mov rbx, [rsi + trampolineRBX]
	0xFF, 0xA6, 0x28, 0x01, 0x00, 0x00, // jmp [rsi + trampolineEntry]
}

// PutTrampoline writes a trampoline for one processor: page is where the guest reaches it, gpa where it is. Where it is
// entered in real mode, gpa is below 1 MiB, and CR3 below 4 GiB. The next processor's can be written to the same place when
// the first has come to its entry.
func PutTrampoline(page []byte, gpa uint64, s Start) {
	copy(page, realCode[:])
	copy(page[LongEntry:], longCode[:])
	put64(page[trampolineGDT:], 0)
	put64(page[trampolineGDT+8:], trampolineCode64)
	put16(page[trampolineGDTR:], 2*8-1)
	put32(page[trampolineGDTR+2:], uint32(gpa+trampolineGDT))
	put32(page[trampolineFar:], uint32(gpa+LongEntry))
	put16(page[trampolineFar+4:], trampolineCode)
	put64(page[trampolineCR3:], s.CR3)
	put64(page[trampolineEntry:], s.Entry)
	put64(page[trampolineStack:], s.Stack)
	put64(page[trampolineRBX:], s.RBX)
	put64(page[trampolineEFER:], s.EFER|trampolineEFERLME)
}
