/*
 * EFI applications that have no end of their own, and that are dear for the host in different ways. PROGRAM says which
 * one is built; ends_test.go says what becomes of each.
 */

#include "guest.h"

/* Nothing but instructions. */
static void spins(void)
{
	for (;;)
		asm volatile("pause");
}

/* Firmware sums up more than the machine has looked at by the next call. */
static void sums(void)
{
	u32 sum;

	for (;;)
		boot(CalculateCrc32, 16 * MIB, 200 * MIB, (u64)&sum, 0, 0, 0);
}

/* Firmware fills memory, each time with something else. */
static void fills(void)
{
	u64 at = memory(100 * MIB), value;

	for (value = 1;; value++)
		boot(SetMem, at, 100 * MIB, value, 0, 0, 0);
}

/* Firmware moves memory that overlaps. */
static void copies(void)
{
	u64 at = memory(100 * MIB), i;

	for (i = 0; i < 100 * MIB; i += 4096)
		*(u64 *)(at + i) = i + 1;
	for (;;)
		boot(CopyMem, at + 4096, at, 99 * MIB, 0, 0, 0);
}

/* Firmware loads images of which there is much. */
static void loads(void)
{
	const u32 headers = 0x200, section = 0x1000, size = 48 * MIB;
	u64 file = memory(64 * MIB), handle = 0, i;
	u8 *p = (u8 *)file;

	p[0] = 'M', p[1] = 'Z', p[0x3c] = 0x40;
	*(u32 *)(p + 0x40) = 'P' | 'E' << 8;
	*(u16 *)(p + 0x44) = 0x8664;
	*(u16 *)(p + 0x46) = 1;
	*(u16 *)(p + 0x54) = 0xf0;
	*(u16 *)(p + 0x58) = 0x20b;
	*(u32 *)(p + 0x68) = section;
	*(u32 *)(p + 0x78) = section;
	*(u32 *)(p + 0x90) = section + size;
	*(u32 *)(p + 0x94) = headers;
	*(u16 *)(p + 0x9c) = 10;
	*(u32 *)(p + 0xc4) = 16;
	*(u32 *)(p + 0x150) = size;
	*(u32 *)(p + 0x154) = section;
	*(u32 *)(p + 0x158) = size;
	*(u32 *)(p + 0x15c) = headers;
	for (i = headers; i < size; i += 4096)
		p[i] = 1;
	for (;;) {
		if (boot(LoadImage, 0, image_handle, 0, file, headers + size, (u64)&handle))
			asm volatile("ud2");
		boot(UnloadImage, handle, 0, 0, 0, 0, 0);
	}
}

/* Waits for an event that is never signalled, while a timer is set again and again. */
static void waits(void)
{
	u64 timer = 0, never = 0, index;

	boot(CreateEvent, 0x80000000, 0, 0, 0, (u64)&timer, 0);
	boot(CreateEvent, 0, 0, 0, 0, (u64)&never, 0);
	boot(SetTimer, timer, 1, 1, 0, 0, 0);
	boot(WaitForEvent, 1, (u64)&never, (u64)&index, 0, 0, 0);
}

/* The same with as many timers as there can be. */
static void timers(void)
{
	u64 timer, i;

	for (i = 0; i < 1000; i++) {
		boot(CreateEvent, 0x80000000, 0, 0, 0, (u64)&timer, 0);
		boot(SetTimer, timer, 1, 1, 0, 0, 0);
	}
	waits();
}

/* Firmware compares a path with those of thousands of handles. */
static void paths(void)
{
	static const u8 loaded_image[16] = {
		0xa1, 0x31, 0x1b, 0x5b, 0x62, 0x95, 0xd2, 0x11, 0x8e, 0x3f, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b,
	};
	static const u8 device_path[16] = {
		0x91, 0x6e, 0x57, 0x09, 0x3f, 0x6d, 0xd2, 0x11, 0x8e, 0x39, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b,
	};
	u64 all = memory(16 * MIB), n, i;

	for (n = 0; n < 2000; n++) {
		u8 *path = (u8 *)(all + n * 4096);
		u64 handle = 0;

		for (i = 0; i < 1000; i++)
			*(u32 *)(path + 4 * i) = 1 | 4 << 8 | 4 << 16;
		*(u32 *)(path + 4 * (n % 1000)) = 2 | 4 << 8 | 4 << 16;
		*(u32 *)(path + 4 * 1000) = 0x7f | 0xff << 8 | 4 << 16;
		boot(InstallMultiple, (u64)&handle, (u64)loaded_image, 1, 0, 0, 0);
		handle = 0;
		boot(InstallMultiple, (u64)&handle, (u64)device_path, (u64)path, 0, 0, 0);
	}
	for (;;) {
		u64 path = all, device;

		boot(LocateDevicePath, (u64)device_path, (u64)&path, (u64)&device, 0, 0, 0);
	}
}

/* Every instruction is one that the machine has not seen before: zeros, which are an addition to where RAX points. */
static void fresh(void)
{
	static u8 anything;

	asm volatile("jmp *%0" : : "r"(32 * MIB), "a"(&anything));
}

/* Every instruction has been changed since it was seen. */
static void changes(void)
{
	static u8 code[] = { 0xb8, 0, 0, 0, 0, 0xc3 }; /* mov eax, 0; ret */

	for (;;) {
		code[1]++;
		((void (*)(void))code)();
	}
}

/* Each page of memory is written to, again and again. */
static void touches(void)
{
	u64 at = memory(128 * MIB), i, value;

	for (value = 1;; value++)
		for (i = 0; i < 128 * MIB; i += 4096)
			*(u64 *)(at + i) = value;
}

/* The processor forgets where everything is. */
static void forgets(void)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	for (;;)
		asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

/* Functions that the machine computes with many digits. */
static void computes(void)
{
	asm volatile("fninit; fld1; fldpi");
	for (;;)
		asm volatile("fsincos; fpatan; fldl2e; faddp");
}

/* Exceptions: the handler returns to the instruction that raised one. */
static void faults(void)
{
	extern char handler[];

	load_idt((u64)handler);
	asm volatile("ud2; handler: iretq");
}

/* A copy of a page at a time, which is one instruction. */
static void moves(void)
{
	u64 from = memory(64 * MIB), to = memory(64 * MIB), i;

	for (i = 0; i < 64 * MIB; i += 4096)
		*(u64 *)(from + i) = i + 1;
	for (;;) {
		u64 source = from, destination = to, n = 64 * MIB;

		asm volatile("rep movsb" : "+S"(source), "+D"(destination), "+c"(n) : : "memory");
	}
}

/* Nothing but fills of the same page, which is in the TLB: code that need not come back. */
static void rewrites(void)
{
	u64 page = memory(4096), value = 1;

	for (;; value++) {
		u64 at = page, n = 512;

		asm volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(value) : "memory");
	}
}

/* The same with comparisons of two pages, a byte at a time. */
static void compares(void)
{
	u64 one = memory(4096), other = memory(4096);

	*(u8 *)(one + 4095) = *(u8 *)(other + 4095) = 1;
	for (;;) {
		u64 a = one, b = other, n = 4096;

		asm volatile("repe cmpsb" : "+S"(a), "+D"(b), "+c"(n) : : "memory", "cc");
	}
}

/* Text without end. */
static void prints(void)
{
	for (;;)
		print("There is no end to it, there is no end to it, there is no end to it.\r\n");
}

/* A kernel that has given up, as far as the console tells. */
static void panics(void)
{
	print("Kernel panic - not syncing: for a test\r\n---[ end Kernel panic - not syncing: for a test ]---\r\n");
	for (;;)
		asm volatile("pause");
}

/* The same, interrupts off and asleep. */
static void sleeps(void)
{
	print("Kernel panic - not syncing: for a test\r\n---[ end Kernel panic - not syncing: for a test ]---\r\n");
	for (;;)
		asm volatile("sti; hlt");
}

/* What a kernel prints that has given up, and then something else, again and again: it has not. */
static void revives(void)
{
	int i;

	print("Kernel panic - not syncing: for a test\r\n---[ end Kernel panic - not syncing: for a test ]---\r\n");
	for (i = 0; i < 20; i++) {
		boot(Stall, 100000, 0, 0, 0, 0, 0);
		print("still there\r\n");
	}
	for (;;)
		asm volatile("pause");
}
