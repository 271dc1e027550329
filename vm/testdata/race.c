/*
 * Two processors accept the same memory, a page at a time: without a lock, so that now and then both accept a page; and with
 * claims, as accept.Tracker has them. Who finds that a page was accepted before switches the machine off with an error.
 *
 * Another race needs a turn to end at one place, after a LOCK. In another program each takes two locks, a few times, and the
 * second processor in the other order.
 */

#include "confidential.h"

#define PAGES 64
#define FIRST 0x40000000ul /* unaccepted */

static volatile u8 unaccepted[PAGES], claimed[PAGES];
static volatile u32 locked, other, noted, come, done;

/* accept_once accepts a page, and ends the guest where it has been accepted. */
static void accept_once(int i)
{
	u64 page = FIRST + i * 4096ul;
	u8 *services = *(u8 **)(system_table + 88);
	int twice;

	if (platform() == TDX) {
		twice = tdx_accept(page) != 0;
	} else {
		change_page_state(page, 1);
		twice = pvalidate(page, 0, 1) != 0;
	}
	if (twice)
		(*(service **)(services + 104))(2, 1ul << 63 | 21, 0, 0, 0, 0); /* EFI_ABORTED */
}

static void accept_unlocked(int second)
{
	for (int i = 0; i < PAGES; i++) {
		if (!unaccepted[i])
			continue;
		accept_once(i);
		unaccepted[i] = 0;
	}
}

/* accept_noted looks, notes that it has looked, and then says that it will: only in between is there room for another. */
static void accept_noted(int second)
{
	for (int i = 0; i < PAGES; i++) {
		if (!unaccepted[i])
			continue;
		__sync_fetch_and_add(&noted, 1);
		unaccepted[i] = 0;
		accept_once(i);
	}
}

static void take(volatile u32 *it)
{
	while (__sync_lock_test_and_set(it, 1))
		while (*it)
			asm volatile("pause");
}

static void lock(void) { take(&locked); }

static void unlock(void) { __sync_lock_release(&locked); }

static void accept_claimed(int second)
{
	for (int i = 0; i < PAGES; i++) {
		lock();
		while (claimed[i]) {
			unlock();
			asm volatile("pause");
			lock();
		}
		if (unaccepted[i]) {
			claimed[i] = 1;
			unlock();
			accept_once(i);
			lock();
			unaccepted[i] = 0;
			claimed[i] = 0;
		}
		unlock();
	}
}

static void take_both(int second)
{
	volatile u32 *const first = second ? &other : &locked;

	for (int i = 0; i < 4; i++) {
		take(first);
		take(second ? &locked : &other);
		__sync_lock_release(&other);
		unlock();
	}
}

static void (*work)(int second);

/* second is where the second processor goes, on a stack of its own. */
static void __attribute__((used)) second(void)
{
	come = 1;
	work(1);
	done = 1;
	for (;;)
		asm volatile("pause");
}

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

	get_map();
	boot(ExitBootServices, image_handle, map_key, 0, 0, 0, 0);
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

static void run(void (*how)(int second))
{
	int i;

	work = how;
	for (i = 0; i < PAGES; i++)
		unaccepted[i] = 1;
	if (platform() == TDX)
		start_by_mailbox();
	else
		start_by_vmsa();
	while (!come)
		asm volatile("pause");
	work(0);
	while (!done)
		asm volatile("pause");
	power_off();
}

static void races(void) { run(accept_unlocked); }
static void notes(void) { run(accept_noted); }
static void claims(void) { run(accept_claimed); }
static void locks(void) { run(take_both); }
