/*
 * A driver of a disk that breaks the rules of virtio 1.2 in many ways, a way after each reset, and in the end a request that
 * keeps them. It drives the disk's registers itself, which firmware leaves to whoever comes.
 */

#include "guest.h"

#define CONFIG (0xe0000000ul + (2 << 15)) /* of 00:02.0 */

/* Where the parts of its registers are, from its BAR (internal/device/virtio/registers.go). */
enum { FeatureSelect = 8, Feature = 12, Status = 20, QueueSelect = 22, QueueSize = 24, QueueEnable = 28, QueueDesc = 32, QueueDriver = 40, QueueDevice = 48, Notify = 0x3000 };

enum { Next = 1, Write = 2, Indirect = 4, NeedsReset = 0x40, Size = 8 };

/* One instruction each, that firmware's handlers of #VE and #VC know. */
static u32 read32(u64 at) { u32 v; asm volatile("movl (%1), %0" : "=r"(v) : "r"(at) : "memory"); return v; }
static u8 read8(u64 at) { u8 v; asm volatile("movb (%1), %0" : "=r"(v) : "r"(at) : "memory"); return v; }
static void write32(u64 at, u32 v) { asm volatile("movl %0, (%1)" : : "r"(v), "r"(at) : "memory"); }
static void write16(u64 at, u16 v) { asm volatile("movw %0, (%1)" : : "r"(v), "r"(at) : "memory"); }
static void write8(u64 at, u8 v) { asm volatile("movb %0, (%1)" : : "r"(v), "r"(at) : "memory"); }

static u64 bar, descriptors, available, used, table, header, data;

static void describe(u64 list, int i, u64 at, u32 length, u16 flags, u16 next)
{
	*(volatile u64 *)(list + 16 * i) = at;
	*(volatile u32 *)(list + 16 * i + 8) = length;
	*(volatile u16 *)(list + 16 * i + 12) = flags;
	*(volatile u16 *)(list + 16 * i + 14) = next;
}

/* start is what a driver does from reset on. */
static void start(void)
{
	u64 i;

	for (i = descriptors; i < data + 4096; i++)
		*(volatile u8 *)i = 0;
	write8(bar + Status, 0);
	write8(bar + Status, 3);
	write32(bar + FeatureSelect, 0);
	write32(bar + Feature, 1 << 28); /* indirect descriptors */
	write32(bar + FeatureSelect, 1);
	write32(bar + Feature, 3); /* VERSION_1, ACCESS_PLATFORM */
	write8(bar + Status, 11);
	write16(bar + QueueSelect, 0);
	write16(bar + QueueSize, Size);
	write32(bar + QueueDesc, descriptors);
	write32(bar + QueueDesc + 4, descriptors >> 32);
	write32(bar + QueueDriver, available);
	write32(bar + QueueDriver + 4, available >> 32);
	write32(bar + QueueDevice, used);
	write32(bar + QueueDevice + 4, used >> 32);
	write16(bar + QueueEnable, 1);
	write8(bar + Status, 15);
}

/* offer hands the device a chain of descriptors, as the request before the one of this number. */
static void offer(u16 head, u16 number)
{
	*(volatile u16 *)(available + 4) = head;
	*(volatile u16 *)(available + 2) = number;
	write16(bar + Notify, 0);
}

/* ends waits, 10 ms at most, until the device has served a request, or given up; and says whether it was the latter. */
static int ends(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		if (read8(bar + Status) & NeedsReset)
			return 1;
		if (*(volatile u16 *)(used + 2))
			return 0;
		boot(Stall, 10, 0, 0, 0, 0, 0);
	}
	return -1;
}

static void breaks_the_rules(void)
{
	u64 at = memory(7 * 4096), broken = 0;
	int way, ways = 9, hung = 0;

	descriptors = at, available = at + 4096, used = at + 2 * 4096, table = at + 3 * 4096, header = at + 4 * 4096, data = at + 5 * 4096;
	write16(CONFIG + 4, 6); /* memory, bus master */
	bar = read32(CONFIG + 16) & ~15u;
	for (way = 0; way < ways; way++) {
		start();
		switch (way) {
		case 0: /* a circle of one */
			describe(descriptors, 0, header, 16, Next, 0);
			offer(0, 1);
			break;
		case 1: /* and of two */
			describe(descriptors, 0, header, 16, Next, 1);
			describe(descriptors, 1, header, 16, Next, 0);
			offer(0, 1);
			break;
		case 2: /* a head that there is not */
			offer(0x1234, 1);
			break;
		case 3: /* a next one that there is not */
			describe(descriptors, 0, header, 16, Next, 0xffff);
			offer(0, 1);
			break;
		case 4: /* 4 GiB */
			describe(descriptors, 0, header, 16, Next, 1);
			describe(descriptors, 1, data, 0xffffffff, Next | Write, 2);
			describe(descriptors, 2, data, 1, Write, 0);
			offer(0, 1);
			break;
		case 5: /* past the end of addresses */
			describe(descriptors, 0, ~0ul - 10, 512, 0, 0);
			offer(0, 1);
			break;
		case 6: /* more requests than there are descriptors */
			offer(0, 1000);
			break;
		case 7: /* an indirect table of 4 GiB */
			describe(descriptors, 0, table, 0xfffffff0, Indirect, 0);
			offer(0, 1);
			break;
		case 8: /* one in which they lead in a circle */
			describe(descriptors, 0, table, 32, Indirect, 0);
			describe(table, 0, header, 16, Next, 1);
			describe(table, 1, header, 16, Next, 0);
			offer(0, 1);
			break;
		}
		switch (ends()) {
		case 1:
			broken |= 1ul << way;
			break;
		case -1:
			hung++;
		}
	}
	say("broken", broken);
	say("hung", hung);
	start(); /* a read of the first sector */
	*(volatile u8 *)(data + 512) = 0xee;
	describe(descriptors, 0, header, 16, Next, 1);
	describe(descriptors, 1, data, 512, Next | Write, 2);
	describe(descriptors, 2, data + 512, 1, Write, 0);
	offer(0, 1);
	ends();
	say("served", *(volatile u8 *)(data + 512));
	say("read", *(volatile u8 *)data);
	power_off();
}
