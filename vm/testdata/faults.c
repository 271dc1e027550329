/*
 * EFI applications with exceptions in exceptions, code that changes under the processor, and interrupts without end.
 * hostile_programs_test.go says what becomes of each.
 */

#include "confidential.h"

/* There is nothing where the handler of page faults ought to be. */
static void no_handler(void)
{
	load_idt(0x123456789000);
	load(0x123456789000);
}

/* The handler raises what it handles. */
static void handler_faults(void)
{
	extern char bad_handler[];

	load_idt((u64)bad_handler);
	asm volatile("bad_handler: ud2");
}

/* The handler goes back to the instruction that touches memory which is not accepted. */
static void tries_again(void)
{
	extern char ignore[];

	platform();
	load_idt((u64)ignore);
	load(UNACCEPTED);
	power_off();
	asm volatile("ignore: add $8, %rsp; iretq");
}

/* count_wrong calls code that is changed through another address each time: mov eax, n; ret. */
static u64 count_wrong(u64 code, u64 changed)
{
	u64 wrong = 0;
	u32 i;

	for (i = 0; i < 5000; i++) {
		*(volatile u8 *)changed = 0xb8;
		*(volatile u32 *)(changed + 1) = i;
		*(volatile u8 *)(changed + 5) = 0xc3;
		wrong += ((u32(*)(void))code)() != i;
	}
	return wrong;
}

/* Code is changed where the processor does not execute it, but elsewhere, where the same pages are mapped, too. */
static void aliases(void)
{
	static const u8 patches_itself[] = {
		0xc6, 0x07, 0xc3,    /* mov byte [rdi], ret */
		0xb8, 1, 0, 0, 0,    /* mov eax, 1 */
		0xb8, 2, 0, 0, 0,    /* mov eax, 2: becomes ret */
		0xc3,
	};
	static const u8 fills_itself[] = {
		0xf3, 0xaa,          /* rep stosb */
		0x89, 0xc8, 0xc3,    /* mov eax, ecx; ret: becomes ret */
	};
	u64 code = memory(2 * 4096), i;
	u8 *other = (u8 *)THERE;

	for (i = 0; i < 2 * 4096; i += 4096) {
		map(HERE + i, code + i, PRIVATE);
		map(THERE + i, code + i, PRIVATE);
	}
	say("in a page", count_wrong(HERE, THERE));
	say("across pages", count_wrong(HERE + 4093, THERE + 4093));
	for (i = 0; i < sizeof patches_itself; i++)
		other[i] = patches_itself[i];
	say("patches itself", ((u32(*)(u64))HERE)(THERE + 8));
	for (i = 0; i < sizeof fills_itself; i++)
		other[i] = fills_itself[i];
	{
		u64 result = 0xc3, to = THERE + 2, n = 100;

		asm volatile("call *%3" : "+a"(result), "+D"(to), "+c"(n) : "r"(HERE) : "memory");
		say("fills itself", result);
	}
	power_off();
}

/* The same without end. */
static void changes_aliases(void)
{
	u64 code = memory(4096);

	map(HERE, code, PRIVATE);
	map(THERE, code, PRIVATE);
	for (;;)
		count_wrong(HERE, THERE);
}

static u8 *ghcb_page; /* mapped as the host's; its address is that of the page itself, too */

/* write_msr writes a register of the x2APIC. The host has it where there is one. */
static void write_msr(u32 msr, u64 value)
{
	u64 at = (u64)ghcb_page;

	switch (platform()) {
	case NONE:
		write_msr_here(msr, value);
		break;
	case TDX:
		vmcall(VMCALL_WRMSR, msr, value, 0, 0);
		break;
	case SNP:
		*(u64 *)(at + 0x1f8) = (u32)value;  /* RAX */
		*(u64 *)(at + 0x310) = value >> 32; /* RDX */
		*(u64 *)(at + 0x308) = msr;         /* RCX */
		*(u64 *)(at + 0x390) = 0x7c;        /* SW_EXITCODE: MSR */
		*(u64 *)(at + 0x398) = 1;           /* SW_EXITINFO1: write */
		*(u64 *)(at + 0x3f0) = ~0ul;        /* what is valid */
		*(u64 *)(at + 0x3f8) = ~0ul;
		ghcb(UNACCEPTED);
	}
}

static volatile u64 ticks;

struct frame;

static void __attribute__((interrupt)) tick(struct frame *unused)
{
	ticks++;
	write_msr(0x80b, 0); /* end of interrupt */
}

/* start_timer has the local APIC's timer interrupt after each so many of its ticks. */
static void start_timer(u64 period)
{
	int i;

	platform();
	if (platform() == SNP) {
		ghcb_page = (u8 *)THERE;
		map(THERE, UNACCEPTED, SHARED);
		change_page_state(UNACCEPTED, 2);
		for (i = 0; i < 4096; i++)
			ghcb_page[i] = 0;
		ghcb(UNACCEPTED | 0x12); /* register the GHCB */
	}
	load_idt(0);
	for (i = 32; i < 256; i++)
		set_gate(i, (u64)tick);
	asm volatile("cli");
	write_msr(0x80f, 0x1ff);   /* spurious interrupts: enabled */
	write_msr(0x83e, 0xb);     /* divide by 1 */
	write_msr(0x832, 0x20040); /* periodic, vector 64 */
	write_msr(0x838, period);
	asm volatile("sti");
}

static void timer(void)
{
	u64 i;

	start_timer(100);
	for (i = 0; i < 100000; i++)
		asm volatile("nop");
	asm volatile("cli");
	print(ticks > 10 ? "interrupted\r\n" : "hardly interrupted\r\n");
	power_off();
}

/* An interrupt is there again before the handler of the last one has come to its end. */
static void interrupts(void)
{
	start_timer(1);
	for (;;)
		asm volatile("pause");
}
