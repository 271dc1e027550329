/*
 * Guests that believe what a device leaves in a ring, or what their host leaves in a buffer: see careless.c.
 */

#include "careless.h"

#define PAGE 0x40000000ul /* unaccepted, and then shared */
#define U16(at) (*(volatile u16 *)(HERE + (at)))
#define U32(at) (*(volatile u32 *)(HERE + (at)))
#define U64(at) (*(volatile u64 *)(HERE + (at)))

static void share(u64 page)
{
	if (platform() == TDX)
		vmcall(VMCALL_MAP_GPA, page | SHARED_BIT, 4096, 0, 0);
	else
		change_page_state(page, 2);
}

/* Configuration space of a device on the PCI bus: the source of randomness, or the network card. */
enum { RANDOMNESS = 1, NETWORK = 31 };
static int slot = RANDOMNESS;

static u32 config(int at, int size)
{
	out_port(0xcf8, 4, 1u << 31 | slot << 11 | (at & ~3));
	return in_port(0xcfc + (at & 3), size);
}

static void set_config(int at, int size, u32 v)
{
	out_port(0xcf8, 4, 1u << 31 | slot << 11 | (at & ~3));
	out_port(0xcfc + (at & 3), size, v);
}

/* set writes a register of the device, through the window that its configuration space has (virtio 1.2, 4.1.4.9). */
static void set(u32 offset, int size, u32 v)
{
	static int window;
	int at;

	for (at = window ? 0 : config(0x34, 1); at; at = config(at + 1, 1))
		if (config(at, 1) == 9 && config(at + 3, 1) == 5)
			window = at;
	set_config(window + 8, 4, offset);
	set_config(window + 12, 4, size);
	set_config(window + 16, size, v);
}

/* The ring, of eight requests, and their only buffer, in the shared page. */
enum { SIZE = 8, DESC = 0, AVAIL = 128, USED = 192, ANSWER = 320, ROOM = 64 };

static void start_device(void)
{
	int i;

	start();
	map(HERE, PAGE, SHARED);
	share(PAGE);
	for (i = 0; i < 4096; i += 8)
		U64(i) = 0;
	set_config(4, 2, 6); /* memory, bus master */
	set(20, 1, 0), set(20, 1, 3); /* status */
	set(8, 4, 1), set(12, 4, 3), set(20, 1, 11); /* VERSION_1, ACCESS_PLATFORM, FEATURES_OK */
	set(22, 2, 0), set(24, 2, SIZE);
	set(32, 4, PAGE + DESC), set(40, 4, PAGE + AVAIL), set(48, 4, PAGE + USED);
	set(28, 2, 1), set(20, 1, 15);
}

/* offer gives the device the buffer to fill. */
static void offer(void)
{
	U64(DESC) = PAGE + ANSWER, U32(DESC + 8) = ROOM, U32(DESC + 12) = 2; /* for the device to write */
	U16(AVAIL + 2)++;
	set(0x3000, 2, 0);
}

/* request has the device fill the buffer, and returns once the ring shows something. */
static void request(u16 seen)
{
	int i;

	offer();
	while (U16(USED + 2) == seen)
		for (i = 0; i < 1000; i++)
			asm volatile("pause");
}

/* What the guest has for itself: a copy of the buffer, and what lies after it. */
static struct { u8 data[ROOM]; volatile u64 mib; u8 rest[4096]; } own, again;

static void copy(u8 *to, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		to[i] = *(volatile u8 *)(HERE + ANSWER + i);
}

/* Believes the length, the number and the index in a used ring, and the descriptor that it has written itself. */
static void believes_rings(void)
{
	static struct { u64 weight[SIZE], after[2 * SIZE]; } of;
	u64 done = 0, weight = 0, i;
	u16 last = 0;

	start_device();
	own.mib = again.mib = 1500;
	of.weight[0] = 10;
	for (i = 0; i < 100; i++)
		for (request(last); last != U16(USED + 2); last++) {
			u64 entry = USED + 4 + last % SIZE * 8;
			u32 id = U32(entry);

			done++;
			weight += of.weight[id];
			copy(own.data, U32(entry + 4));
			copy(again.data, U32(DESC + 16 * (id % SIZE) + 8));
		}
	believes(own.mib + again.mib + weight + 50 * done);
}

/* Believes how long a packet is that comes from the network, and how long its own header says that the headers in it are. */
static void believes_packets(void)
{
	enum { HEADERS = 2, Stall = 248 };
	int i;

	slot = NETWORK;
	start_device();
	own.mib = again.mib = 1500;
	offer();
	for (i = 0; i < 10 && !U16(USED + 2); i++)
		boot(Stall, 1000, 0, 0, 0, 0, 0);
	if (U16(USED + 2)) {
		copy(own.data, U32(USED + 8));
		copy(again.data, U16(ANSWER + HEADERS));
	}
	believes(own.mib + again.mib);
}

/* Looks at a length, and then uses it as it is by then. */
static void reads_rings_twice(void)
{
	u16 last = 0;
	int i;

	start_device();
	for (i = 0; i < 20000; i++) /* a host watches after 20 ms at the latest */
		for (request(last); last != U16(USED + 2); last++) {
			u64 length = USED + 8 + last % SIZE * 8;

			if (U32(length) <= ROOM)
				copy(own.data, U32(length));
		}
	power_off();
}

/* asks_for_a_quote does, with a buffer of 8 KiB, and says whether there is one. */
static int asks_for_a_quote(void)
{
	start();
	map(HERE, PAGE, SHARED), map(HERE + 4096, PAGE + 4096, SHARED);
	share(PAGE), share(PAGE + 4096);
	U64(0) = 1, U64(8) = 0, U64(16) = 1024;
	if (vmcall(0x10002, PAGE | SHARED_BIT, 8192, 0, 0))
		return 0;
	while (U64(8) == ~0ul)
		exit_once();
	return 1;
}

static void took_a_quote(u64 bytes)
{
	report("tacit 1\ntook quote ");
	report_number(bytes);
	report("\ndone\n");
	power_off();
}

/* Believes the length of a quote, whatever the status is. */
static void believes_quotes(void)
{
	if (asks_for_a_quote())
		took_a_quote(U32(20));
	power_off();
}

/* Looks at the length of a quote, and then uses it as it is by then. */
static void reads_quotes_twice(void)
{
	if (asks_for_a_quote() && U32(20) <= 8192 - 24)
		took_a_quote(U32(20));
	power_off();
}
