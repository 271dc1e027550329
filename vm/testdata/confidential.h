/*
 * What a program of a confidential guest needs beyond guest.h: on which platform it is, its instructions, page tables that
 * say private or shared, and exceptions that it gets over. Numbers are those of tdx/abi and snp/abi.
 */

#pragma once

#include "guest.h"

enum { NONE, TDX, SNP };

/* platform asks CPUID. It has to be called while firmware's exception handlers are there, which do CPUID on SEV-SNP. */
static int platform(void)
{
	static int known = -1;
	u32 a = 0x21, b, c = 0, d;

	if (known >= 0)
		return known;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (b == 0x65746e49) /* "Inte", of "IntelTDX    " */
		return known = TDX;
	a = 0x8000001f, c = 0;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return known = a >> 4 & 1 ? SNP : NONE;
}

#define SHARED_BIT (platform() == TDX ? 1ul << 47 : 0)
#define PRIVATE_BIT (platform() == SNP ? 1ul << 51 : 0)

/* What attempt returns where there was no exception, and what it found where there was one. */
#define NOTHING 0xffu
#define PF 14
#define VC 29

static volatile u64 fault_code __attribute__((used)), fault_stack __attribute__((used));

/*
 * attempt calls f, and returns the vector of the exception that ended it, or NOTHING. catch_exceptions has to have been
 * called. An exception that comes at another time has no stack to go back to, and ends the guest.
 */
extern u64 attempt(void (*f)(u64), u64 argument);
asm(".text\n"
    "attempt:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; pushfq\n"
    "	mov %rsp, fault_stack(%rip)\n"
    "	mov %rdi, %rax; mov %rsi, %rdi; call *%rax\n"
    "	mov $0xff, %eax\n"
    "attempted:\n"
    "	movq $0, fault_stack(%rip)\n"
    "	popfq; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
    "caught:\n"
    "	pop %rax; pop fault_code(%rip)\n"
    "	mov fault_stack(%rip), %rsp\n"
    "	jmp attempted\n"
    ".balign 16\n"
    "handlers:\n" /* of 16 bytes each */
    ".set vector, 0\n"
    ".rept 32\n"
    "	.balign 16\n"
    "	.if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && vector != 29 && vector != 30\n"
    "	push $0\n" /* for the error code that the others have */
    "	.endif\n"
    "	push $vector\n"
    "	jmp caught\n"
    "	.set vector, vector + 1\n"
    ".endr\n");

/* catch_exceptions has attempt's handlers take all exceptions. */
static void catch_exceptions(void)
{
	extern char handlers[];
	int i;

	platform();
	load_idt(0);
	for (i = 0; i < 32; i++)
		set_gate(i, (u64)handlers + 16 * i);
}

/* The registers of a TDCALL. */
struct tdcall { u64 rax, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15; };

static u64 tdcall(struct tdcall *r)
{
	register u64 r8 asm("r8") = r->r8;
	register u64 r9 asm("r9") = r->r9;
	register u64 r10 asm("r10") = r->r10;
	register u64 r11 asm("r11") = r->r11;
	register u64 r12 asm("r12") = r->r12;
	register u64 r13 asm("r13") = r->r13;
	register u64 r14 asm("r14") = r->r14;
	register u64 r15 asm("r15") = r->r15;

	asm volatile(".byte 0x66, 0x0f, 0x01, 0xcc"
		     : "+a"(r->rax), "+c"(r->rcx), "+d"(r->rdx), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
		     : : "rbx", "rsi", "rdi", "memory", "cc");
	r->r8 = r8, r->r9 = r9, r->r10 = r10, r->r11 = r11;
	return r->rax;
}

/* tdx_accept is TDG.MEM.PAGE.ACCEPT of a page, its level in the low bits. */
static u64 tdx_accept(u64 page)
{
	struct tdcall r = { .rax = 6, .rcx = page };

	return tdcall(&r);
}

/* vmcall asks the host of a TD for a sub-function, and returns the host's status. */
static u64 vmcall(u64 function, u64 a, u64 b, u64 c, u64 d)
{
	struct tdcall r = { .rcx = 0xfc00, .r11 = function, .r12 = a, .r13 = b, .r14 = c, .r15 = d };
	u64 status = tdcall(&r);

	return status ? status : r.r10;
}

enum { VMCALL_HLT = 12, VMCALL_IO = 30, VMCALL_RDMSR, VMCALL_WRMSR, VMCALL_MMIO = 48, VMCALL_MAP_GPA = 0x10001 };

/* pvalidate returns EAX, and CF in bit 32. */
static u64 pvalidate(u64 page, int large, int validate)
{
	u64 rax = page;
	u8 carry;

	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff; setc %1" : "+a"(rax), "=r"(carry) : "c"(large), "d"(validate) : "memory", "cc");
	return (u32)rax | (u64)carry << 32;
}

#define CARRY (1ul << 32)

static void write_msr_here(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

/* ghcb asks the host of an SEV-SNP guest: by the MSR alone, or by the page whose address value is. */
static u64 ghcb(u64 value)
{
	u32 low, high;

	write_msr_here(0xc0010130, value);
	asm volatile("rep; vmmcall" : : : "memory");
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0010130));
	return low | (u64)high << 32;
}

/* change_page_state makes a page of 4 KiB private (1) or shared (2) by the GHCB's MSR. */
static void change_page_state(u64 page, u64 to) { ghcb(page | to << 52 | 0x14); }

/* accept_page accepts a page of 4 KiB; share_page gives one to the host. Without encryption there is nothing to do. */
static void accept_page(u64 page)
{
	switch (platform()) {
	case TDX:
		tdx_accept(page);
		break;
	case SNP:
		change_page_state(page, 1);
		pvalidate(page, 0, 1);
	}
}

static void share_page(u64 page)
{
	switch (platform()) {
	case TDX:
		vmcall(VMCALL_MAP_GPA, page | SHARED_BIT, 4096, 0, 0);
		break;
	case SNP:
		pvalidate(page, 0, 0);
		change_page_state(page, 2);
	}
}

/* top_entry is the entry of the page table of the highest level that an address goes through. */
static u64 *top_entry(u64 va)
{
	u64 cr3;

	asm("mov %%cr3, %0" : "=r"(cr3));
	return (u64 *)(cr3 & 0x7fffffffff000) + (va >> 39 & 511);
}

static void flush(void) { asm volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory"); }

enum { PRIVATE, SHARED };

/* table allocates a page table without entries: what is in memory is not zero on SEV-SNP. */
static u64 table(void)
{
	u64 at = memory(4096), i;

	for (i = 0; i < 4096; i += 8)
		*(u64 *)(at + i) = 0;
	return at;
}

/* map has an unused virtual address lead to a page, and to what that holds for the guest or for the host. */
static void map(u64 va, u64 page, int plane)
{
	u64 *entry = top_entry(va);
	int shift;

	for (shift = 30; shift >= 12; shift -= 9) {
		if (!(*entry & 1))
			*entry = table() | PRIVATE_BIT | 3;
		entry = (u64 *)(*entry & 0x7fffffffff000) + (va >> shift & 511);
	}
	*entry = page | (plane == SHARED ? SHARED_BIT : PRIVATE_BIT) | 3;
	flush();
}

static void load(u64 at) { (void)*(volatile u64 *)at; }
static void call(u64 at) { ((void (*)(void))at)(); }

/* Free addresses of virtual memory, and memory that firmware has left unaccepted. */
#define HERE 0x700000000000ul
#define THERE 0x700000200000ul
#define UNACCEPTED 0x20000000ul

static u64 random_number(void)
{
	static u64 x = 0x123456789;

	x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	return x;
}

/* The fields of a GHCB, at THERE once set_up_ghcb has been called. */
#define FIELD(at) (*(volatile u64 *)(THERE + (at)))

enum { RAX = 0x1f8, RCX = 0x308, RDX = 0x310, CODE = 0x390, INFO1 = 0x398, INFO2 = 0x3a0, SCRATCH = 0x3a8, VALID = 0x3f0, BUFFER = 0x800 };

static void set_up_ghcb(void)
{
	map(THERE, UNACCEPTED, SHARED);
	change_page_state(UNACCEPTED, 2);
	ghcb(UNACCEPTED | 0x12);
}

/* ask asks the host by the GHCB, and returns RAX as it is there then, whatever the host says of it. */
static u64 ask(u64 code, u64 info1, u64 info2, u64 rax, u64 rcx)
{
	FIELD(CODE) = code, FIELD(INFO1) = info1, FIELD(INFO2) = info2, FIELD(RAX) = rax, FIELD(RCX) = rcx, FIELD(RDX) = 0;
	FIELD(SCRATCH) = UNACCEPTED + BUFFER;
	FIELD(VALID) = FIELD(VALID + 8) = ~0ul;
	*(volatile u32 *)(THERE + 0xffc) = 0;
	ghcb(UNACCEPTED);
	return FIELD(RAX);
}

/* Offsets of services, and of what is in a descriptor of the memory map (UEFI 2.10, sections 4.4 and 7.2). */
enum { GetMemoryMap = 56, ExitBootServices = 232, TYPE = 0, START = 8, PAGES = 24, UNACCEPTED_MEMORY = 15 };

static u64 map_at, map_size, map_key, descriptor_size;

static void get_map(void)
{
	u32 version;

	if (!map_at)
		map_at = memory(64 << 10);
	map_size = 64 << 10;
	boot(GetMemoryMap, (u64)&map_size, map_at, (u64)&map_key, (u64)&descriptor_size, (u64)&version, 0);
}
