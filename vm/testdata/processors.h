/*
 * How a program of a confidential guest starts a second processor. The source that includes it says what that does.
 */

#include "confidential.h"

/* second is where the second processor goes, on a stack of its own. It does not return. */
static void __attribute__((used)) second(void);

static u8 stack[16384] __attribute__((aligned(16), used));
extern char second_entry[];
asm(".text; second_entry: lea stack+16384(%rip), %rsp; call second");

/* mailbox is where ACPI's MADT says that processors of a TD wait. */
static u64 mailbox(void)
{
	u64 n = *(u64 *)(system_table + 104), entry = *(u64 *)(system_table + 112), i;

	for (i = 0; i < n; i++, entry += 24) {
		u64 xsdt, t;

		if (*(u64 *)entry != 0x11d3e4f18868e871 || *(u64 *)(entry + 8) != 0x81883cc7800022bc)
			continue;
		xsdt = *(u64 *)(*(u64 *)(entry + 16) + 24);
		for (t = xsdt + 36; t + 8 <= xsdt + *(u32 *)(xsdt + 4); t += 8) {
			u64 madt = *(u64 *)t, at;

			if (*(u32 *)madt != 0x43495041) /* "APIC" */
				continue;
			for (at = madt + 44; at < madt + *(u32 *)(madt + 4); at += *(u8 *)(at + 1))
				if (*(u8 *)at == 16)
					return *(u64 *)(at + 8);
		}
	}
	return 0;
}

static void start_by_mailbox(void)
{
	u64 at = mailbox();

	do /* firmware that accepts memory now wants to be asked again */
		get_map();
	while (boot(ExitBootServices, image_handle, map_key, 0, 0, 0, 0));
	*(volatile u32 *)(at + 4) = 1;
	*(volatile u64 *)(at + 8) = (u64)second_entry;
	*(volatile u32 *)at = 1;
}

/* start_by_vmsa has the second processor begin as this one is: in 64-bit mode, with the same page tables. */
static void start_by_vmsa(void)
{
	u64 at = memory(3 * 4096), cr3, i;
	u32 low, high;

	set_up_ghcb();
	at += at % (2 * MIB) ? 0 : 4096;
	for (i = 0; i < 4096; i += 8)
		*(u64 *)(at + i) = 0;
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0010131)); /* SEV_STATUS */
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	for (i = 0; i < 6; i++) { /* ES, CS, SS, DS, FS, GS: selector, attributes, limit */
		*(u16 *)(at + 16 * i) = i == 1 ? 8 : 16;
		*(u16 *)(at + 16 * i + 2) = i == 1 ? 0xa9b : 0xc93;
		*(u32 *)(at + 16 * i + 4) = ~0u;
	}
	*(u16 *)(at + 0x92) = 0x8b;		       /* TR */
	*(u64 *)(at + 0xd0) = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12; /* EFER: LME, LMA, NXE, SVME */
	*(u64 *)(at + 0x148) = 0x620;		       /* CR4: PAE, OSFXSR, OSXMMEXCPT */
	*(u64 *)(at + 0x150) = cr3;
	*(u64 *)(at + 0x158) = 0x80010033;	       /* CR0 */
	*(u64 *)(at + 0x160) = 0x400, *(u64 *)(at + 0x168) = 0xffff0ff0; /* DR7, DR6 */
	*(u64 *)(at + 0x170) = 2, *(u64 *)(at + 0x178) = (u64)second_entry;
	*(u64 *)(at + 0x268) = 0x0007040600070406;     /* PAT */
	*(u64 *)(at + 0x3b0) = low >> 2;	       /* SEV_FEATURES */
	*(u64 *)(at + 0x3e8) = 1, *(u32 *)(at + 0x408) = 0x1f80; /* XCR0, MXCSR */
	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xfe" : : "a"(at), "c"(0), "d"(1ul << 16 | 1) : "memory", "cc"); /* RMPADJUST */
	ask(0x80000013, 1ul << 32 | 1, at, low >> 2, 0); /* SNP AP Creation: APIC ID 1, now */
}

static void start_second(void)
{
	if (platform() == TDX)
		start_by_mailbox();
	else
		start_by_vmsa();
}
