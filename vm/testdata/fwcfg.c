/*
 * fw_cfg by DMA, as QEMU has it: from memory that the device reaches, into such memory and into other. fwcfg_test.go says what
 * is shown.
 */

#include "confidential.h"

static void out(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }

static u32 in(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

/* transfer has the device do what is written at va, whose physical address is at, and returns what stands there then. */
static u32 transfer(u64 va, u64 at, u32 control, u32 length, u64 to)
{
	volatile u32 *access = (volatile u32 *)va;

	access[0] = __builtin_bswap32(control);
	access[1] = __builtin_bswap32(length);
	*(volatile u64 *)(va + 8) = __builtin_bswap64(to);
	out(0x514, __builtin_bswap32(at >> 32));
	out(0x518, __builtin_bswap32(at));
	return __builtin_bswap32(access[0]);
}

static void transfers(void)
{
	u64 page = UNACCEPTED, own = memory(4096);
	volatile u32 *shared = (volatile u32 *)(THERE + 64), *private = (volatile u32 *)(own + 64);

	platform();
	share_page(page);
	map(THERE, page, SHARED);
	say("signature", in(0x514));
	say("read", transfer(THERE, page, SELECT | READ, 4, page + 64));
	say("what", shared[0]);
	transfer(THERE, page, 0x190000 | SELECT | READ, 4, page + 64);
	say("files", __builtin_bswap32(shared[0]));
	transfer(THERE, page, SKIP, 8, 0);
	say("read a name", transfer(THERE, page, READ, 8, page + 64));
	say("what", shared[0]);
	say("write", transfer(THERE, page, SELECT | WRITE, 4, page + 64));
	private[0] = 0x12345678;
	say("read into own memory", transfer(THERE, page, SELECT | READ, 4, own + 64));
	say("what", private[0]);
	say("asked in own memory", transfer(own, own, SELECT | READ, 4, page + 64));
	say("asked beyond memory", transfer(THERE, 1ul << 46, SELECT | READ, 4, page + 64));
	power_off();
}
