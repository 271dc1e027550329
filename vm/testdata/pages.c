/*
 * EFI applications that change the state of pages where that is against themselves, or more often than is good.
 * hostile_programs_test.go says what becomes of each.
 */

#include "confidential.h"

/* The page that code is in becomes the host's while the code runs. */
static void __attribute__((aligned(4096), noinline)) share_myself(u64 page) { share_page(page); }
static void __attribute__((aligned(4096), noinline)) after_myself(void) { } /* what follows is in another page */

static void own_page(void)
{
	catch_exceptions();
	say("exception", attempt(share_myself, (u64)share_myself));
	after_myself();
	power_off();
}

/* The page through which firmware is called becomes the host's, and then firmware is called. */
static void call_firmware(u64 unused) { boot(Stall, 1, 0, 0, 0, 0, 0); }

static void firmware_page(void)
{
	u8 *services = *(u8 **)(system_table + 96);

	catch_exceptions();
	share_page(*(u64 *)(services + Stall) & ~0xffful);
	if (attempt(call_firmware, 0) == VC)
		ghcb(0x100); /* a request for the end, which needs no firmware */
	power_off();
}

/* A page table in memory of the host's. */
static void shared_table(void)
{
	accept_page(UNACCEPTED);
	catch_exceptions();
	share_page(UNACCEPTED);
	*top_entry(HERE) = UNACCEPTED | SHARED_BIT | 3;
	flush();
	say("exception", attempt(load, HERE));
	say("code", fault_code);
	power_off();
}

/* A page table in the registers of the I/O APIC. */
static void device_table(void)
{
	catch_exceptions();
	*top_entry(HERE) = 0xfec00000 | SHARED_BIT | 3;
	flush();
	say("exception", attempt(load, HERE));
	say("code", fault_code);
	power_off();
}

/* An entry of the highest level that is said to be a page. */
static void reserved_bit(void)
{
	catch_exceptions();
	*top_entry(HERE) = UNACCEPTED | PRIVATE_BIT | 1 << 7 | 3;
	flush();
	say("exception", attempt(load, HERE));
	say("code", fault_code);
	power_off();
}

/* Pages that are accepted, and mapped twice: as the guest's at HERE, as the host's at THERE. */
static void map_twice(void)
{
	u64 i;

	for (i = 0; i < 2 * 4096; i += 4096) {
		accept_page(UNACCEPTED + i);
		map(HERE + i, UNACCEPTED + i, PRIVATE);
		map(THERE + i, UNACCEPTED + i, SHARED);
	}
	catch_exceptions();
}

/* Code that is the guest's is called where it is mapped as the host's. */
static void call_shared(void)
{
	map_twice();
	*(u8 *)HERE = 0xc3; /* ret */
	say("exception", attempt(call, HERE));
	say("exception", attempt(call, THERE));
	say("code", fault_code);
	power_off();
}

/* A string instruction writes to the guest's pages as if they were the host's. */
static void fill(u64 at)
{
	u64 n = 4096 + 8;

	asm volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(0x77) : "memory");
}

static void write_shared(void)
{
	map_twice();
	*(u64 *)HERE = 1;
	say("exception", attempt(fill, THERE));
	say("value", *(u64 *)(THERE + 4096));
	say("exception", attempt(load, HERE));
	say("code", fault_code);
	power_off();
}

/* A page is accepted, used, and accepted again. */
static void accepts_again(void)
{
	switch (platform()) {
	case TDX:
		tdx_accept(UNACCEPTED | 1);
		*(u64 *)UNACCEPTED = 0x600d;
		say("again", tdx_accept(UNACCEPTED | 1));
		break;
	case SNP:
		pvalidate(UNACCEPTED, 1, 1);
		*(u64 *)UNACCEPTED = 0x600d;
		say("again", pvalidate(UNACCEPTED, 1, 1));
		break;
	default:
		*(u64 *)UNACCEPTED = 0x600d;
	}
	say("value", *(u64 *)UNACCEPTED);
	power_off();
}

/* A page is made the host's and the guest's again, without end. */
static void converts(void)
{
	for (;;) {
		accept_page(UNACCEPTED);
		share_page(UNACCEPTED);
	}
}

/* ask_for_much has the host convert 64 MiB, which is as much as it does at a time. */
static void ask_for_much(u64 page, int plane)
{
	u64 i;

	if (platform() == TDX)
		vmcall(VMCALL_MAP_GPA, page | (plane == SHARED ? SHARED_BIT : 0), 64 * MIB, 0, 0);
	else
		for (i = 0; i < 64 * MIB; i += 4096)
			change_page_state(page + i, plane == SHARED ? 2 : 1);
}

/* Memory with something in it is made the host's and the guest's again, without end. */
static void converts_much(void)
{
	u64 i;

	for (;;) {
		ask_for_much(UNACCEPTED, PRIVATE);
		for (i = 0; i < 64 * MIB; i += 4096) {
			if (platform() == TDX)
				tdx_accept(UNACCEPTED + i);
			else
				pvalidate(UNACCEPTED + i, 0, 1);
			*(u64 *)(UNACCEPTED + i) = i + 1;
		}
		ask_for_much(UNACCEPTED, SHARED);
	}
}

/* One page of 4 KiB is accepted in each 2 MiB of all memory. */
static void divides(void)
{
	u64 at;

	for (at = 0x100000000;; at += 2 * MIB) {
		if (platform() == TDX)
			tdx_accept(at);
		else
			pvalidate(at, 0, 1);
	}
}

/* One byte of each 2 MiB of all memory is read, and there is nothing. */
static void looks(void)
{
	u64 at;

	for (at = 0x100000000;; at += 2 * MIB)
		load(at);
}

/* All memory is accepted, and each page of it written to. */
static void takes(void)
{
	u64 at, page;

	for (at = UNACCEPTED;; at += 2 * MIB) {
		if (at == 0x80000000)
			at = 0x100000000;
		if (platform() == TDX)
			tdx_accept(at | 1);
		if (platform() == SNP)
			pvalidate(at, 1, 1);
		for (page = at; page < at + 2 * MIB; page += 4096)
			*(u64 *)page = page;
	}
}
