/*
 * What processors send each other on a plain machine, and themselves: the others are in real mode, count what comes, and
 * halt. SDM volume 3, 11.6.
 */

#include "guest.h"

asm(".text; .code16\n"
    "real: cli; mov %cs, %ax; mov %ax, %ds; mov %ax, %ss; mov $0xf00, %sp; lidtl table - real\n"
    "  mov $0x802, %ecx; rdmsr; mov %ax, %bx; lock incb (starts - real)(%bx)\n"
    "  mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr; sti\n"
    "1: hlt; jmp 1b\n"
    "on_fixed: push %eax; push %ecx; push %edx; push %bx\n"
    "  mov $0x802, %ecx; rdmsr; mov %ax, %bx; lock incb (fixed - real)(%bx)\n"
    "  mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
    "  pop %bx; pop %edx; pop %ecx; pop %eax; iret\n"
    "on_nmi: push %eax; push %ecx; push %edx; push %bx\n"
    "  mov $0x802, %ecx; rdmsr; mov %ax, %bx; lock incb (nmis - real)(%bx)\n"
    "  pop %bx; pop %edx; pop %ecx; pop %eax; iret\n"
    "on_own: mov $0x802, %ecx; rdmsr; mov %eax, %edx; mov $0x830, %ecx; mov $0x4500, %eax; wrmsr\n" /* INIT to itself */
    "  lock incb leaks - real; jmp .\n"
    "on_sleep: cli; hlt; jmp on_sleep\n"
    "table: .word 0x3ff; .long 0\n"
    "starts: .zero 8; fixed: .zero 8; nmis: .zero 8; leaks: .byte 0\n"
    "real_end: .code64\n"
    "on_mine: lock incl mine(%rip); push %rax; push %rcx; push %rdx; mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
    "  pop %rdx; pop %rcx; pop %rax; iretq");

extern char real[], real_end[], on_fixed[], on_nmi[], on_own[], on_sleep[], table[], starts[], fixed[], nmis[], leaks[], on_mine[];

enum { FIXED = 0x40, OWN = 0x41, SLEEP = 0x42, MINE = 0x40 };
enum { LOWEST = 0x100, NMI = 0x400, INIT = 0x500, START = 0x600, LOGICAL = 0x800, ASSERT = 0x4000, ALL = 0x80000, OTHERS = 0xc0000 };

static volatile u32 mine __attribute__((used));
static volatile u8 *page;

#define IN_PAGE(what) (page + ((what) - real))

static void send(u64 destination, u64 command)
{
	u64 v = destination << 32 | command;

	asm volatile("wrmsr" : : "a"((u32)v), "d"((u32)(v >> 32)), "c"(0x830) : "memory");
}

static void a_while(void)
{
	for (int i = 0; i < 100000; i++)
		asm volatile("pause");
}

/* say_counts shows four digits: what each processor has counted. */
static void say_counts(const char *what, volatile u8 *counts)
{
	a_while();
	say(what, 1ul << 16 | counts[0] << 12 | counts[1] << 8 | counts[2] << 4 | counts[3]);
}

static void set_vector(int vector, char *handler)
{
	*(volatile u32 *)(page + 0x800 + 4 * vector) = (u32)((u64)page >> 4) << 16 | (u32)(handler - real);
}

static void begin(void)
{
	u64 at = 0xfffff;

	if (boot(AllocatePages, 1, 2, 1, (u64)&at, 0, 0))
		print("no memory below 1 MiB\r\n");
	page = (u8 *)at;
	for (int i = 0; i < real_end - real; i++)
		page[i] = real[i];
	*(volatile u32 *)(IN_PAGE(table) + 2) = at + 0x800;
	set_vector(2, on_nmi);
	set_vector(FIXED, on_fixed);
	set_vector(OWN, on_own);
	set_vector(SLEEP, on_sleep);
	load_idt((u64)on_mine);
	set_gate(MINE, (u64)on_mine);
	asm volatile("wrmsr" : : "a"(0x1ff), "d"(0), "c"(0x80f));
	asm volatile("sti");
	send(0, OTHERS | ASSERT | INIT);
	send(0, OTHERS | ASSERT | START | at >> 12);
}

static void kinds(void)
{
	begin();
	say_counts("started", IN_PAGE(starts));
	for (int i = 0; i < 1000; i++)
		send(0, OTHERS | ASSERT | START | (u64)page >> 12);
	say_counts("more start-up interrupts", IN_PAGE(starts));
	send(0, OTHERS | FIXED);
	say_counts("all others", IN_PAGE(fixed));
	send(0xe, LOGICAL | FIXED);
	say_counts("a cluster", IN_PAGE(fixed));
	send(2, FIXED);
	say_counts("one", IN_PAGE(fixed));
	send(77, FIXED);
	send(0x1000f, LOGICAL | FIXED);
	say_counts("none", IN_PAGE(fixed));
	send(0, OTHERS | LOWEST | FIXED);
	say_counts("one of the others", IN_PAGE(fixed));
	send(0xc, LOGICAL | LOWEST | FIXED);
	say_counts("one of two", IN_PAGE(fixed));
	send(0, OTHERS | NMI);
	say_counts("NMI", IN_PAGE(nmis));
	say("mine", mine);
	send(0, ALL | MINE);
	say_counts("all", IN_PAGE(fixed));
	send(1, LOGICAL | LOWEST | MINE);
	a_while();
	say("mine", mine);
	/* This one's task priority is higher than that of the others. */
	asm volatile("mov %0, %%cr8" : : "r"(2ul));
	send(3, LOGICAL | LOWEST | FIXED);
	say_counts("not this", IN_PAGE(fixed));
	say("mine", mine);

	send(3, OWN);
	a_while();
	send(3, FIXED); /* it waits for a start-up interrupt and takes no other */
	send(3, START | (u64)page >> 12);
	say_counts("INIT to itself", IN_PAGE(starts));
	say_counts("not then", IN_PAGE(fixed));
	send(3, FIXED);
	say_counts("again", IN_PAGE(fixed));
	say("leaks", *IN_PAGE(leaks));
	power_off();
}

static void resets(void)
{
	begin();
	send(0, ASSERT | INIT);
	print("INIT did nothing\r\n");
	power_off();
}

static void sleeps(void)
{
	begin();
	a_while();
	send(0, OTHERS | SLEEP);
	a_while();
	print("asleep\r\n");
	for (;;)
		asm volatile("cli; hlt");
}
