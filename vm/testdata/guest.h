/*
 * What every program here begins with: firmware's services, text, exceptions. A source includes it and has a function for
 * each of its programs; PROGRAM says which one is built. Nothing is relocated: no address may stand in initialised data.
 */

#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define MIB (1ul << 20)

typedef u64 __attribute__((ms_abi)) service(u64, u64, u64, u64, u64, u64);

static u64 image_handle;
static u8 *system_table;

/* Offsets in the table of boot services (UEFI 2.10, section 4.4). */
enum {
	AllocatePages = 40, CreateEvent = 80, SetTimer = 88, WaitForEvent = 96, CheckEvent = 120, HandleProtocol = 152,
	LocateDevicePath = 184, LoadImage = 200, StartImage = 208, UnloadImage = 224, Stall = 248, InstallMultiple = 328,
	CalculateCrc32 = 344, CopyMem = 352, SetMem = 360,
};

static u64 boot(u64 offset, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	u8 *services = *(u8 **)(system_table + 96);
	return (*(service **)(services + offset))(a, b, c, d, e, f);
}

/* print shows plain text, of at most 255 characters. */
static void print(const char *text)
{
	static u16 wide[256];
	u8 *out = *(u8 **)(system_table + 64);
	int n = 0;

	for (; text[n]; n++)
		wide[n] = text[n];
	wide[n] = 0;
	(*(service **)(out + 8))((u64)out, (u64)wide, 0, 0, 0, 0);
}

/* say shows what something is, in hexadecimal digits. */
static void say(const char *what, u64 value)
{
	char digits[17];
	int n = 16;

	digits[n] = 0;
	do
		digits[--n] = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	print(what);
	print(" ");
	print(digits + n);
	print("\r\n");
}

/* power_off switches the machine off. */
static void power_off(void)
{
	u8 *services = *(u8 **)(system_table + 88);
	(*(service **)(services + 104))(2, 0, 0, 0, 0, 0);
}

/* memory allocates so many bytes. */
static u64 memory(u64 bytes)
{
	u64 at = 0;

	if (boot(AllocatePages, 0, 2, bytes / 4096, (u64)&at, 0, 0))
		for (;;)
			asm volatile("ud2");
	return at;
}

static struct gate { u16 low, selector, attributes, middle; u32 high, zero; } gates[256];

/* set_gate makes an exception or an interrupt go to handler. */
static void set_gate(int vector, u64 handler)
{
	struct gate *g = &gates[vector];

	asm("mov %%cs, %0" : "=r"(g->selector));
	g->low = handler;
	g->attributes = 0x8e00;
	g->middle = handler >> 16;
	g->high = handler >> 32;
}

/* load_idt makes every exception go to handler. */
static void load_idt(u64 handler)
{
	struct __attribute__((packed)) { u16 limit; u64 base; } table = { sizeof gates - 1, (u64)gates };
	int i;

	for (i = 0; i < 32; i++)
		set_gate(i, handler);
	asm volatile("lidt %0" : : "m"(table));
}

static void PROGRAM(void);

__attribute__((ms_abi, section(".entry"))) u64 entry(u64 handle, u8 *table)
{
	image_handle = handle;
	system_table = table;
	PROGRAM();
	return 0;
}
