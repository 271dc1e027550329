/*
 * EFI applications that ask firmware, the TDX module and the host for what they may not give. hostile_programs_test.go
 * says what becomes of each.
 */

#include "confidential.h"

/* An image starts itself, which starts itself. */
static void starts_itself(void)
{
	static const u8 loaded_image[16] = {
		0xa1, 0x31, 0x1b, 0x5b, 0x62, 0x95, 0xd2, 0x11, 0x8e, 0x3f, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b,
	};
	u64 protocol, base, size, i, copy, handle = 0;
	u32 pe;

	boot(HandleProtocol, image_handle, (u64)loaded_image, (u64)&protocol, 0, 0, 0);
	base = *(u64 *)(protocol + 64);
	size = *(u64 *)(protocol + 72);
	copy = memory((size + 4095) & ~4095ul);
	for (i = 0; i < size / 8; i++)
		((u64 *)copy)[i] = ((u64 *)base)[i];
	pe = *(u32 *)(copy + 0x3c);
	pe += 24 + *(u16 *)(copy + pe + 20); /* the first section */
	*(u32 *)(copy + pe + 20) = *(u32 *)(copy + pe + 12); /* is in the file where it is in memory */
	say("loaded", boot(LoadImage, 0, image_handle, 0, copy, size, (u64)&handle));
	boot(StartImage, handle, 0, 0, 0, 0, 0);
}

#define LEAF(name, leaf, c, d, e, f, status) { name, { .rax = leaf, .rcx = c, .rdx = d, .r8 = e, .r9 = f }, status }
#define CALL(name, function, a, b, c, d, status) { name, { .rcx = 0xfc00, .r11 = function, .r12 = a, .r13 = b, .r14 = c, .r15 = d }, status }
#define REGISTERS(name, mask, status) { name, { .rcx = mask, .r11 = 0x777 }, status }

enum { PAGE_ACCEPT = 6 };
#define RCX_INVALID 0xc000010000000001
#define UNKNOWN_LEAF 0xc000010000000000
#define UNKNOWN_FIELD 0xc0000c0000000000
#define INVALID_OPERAND 0x8000000000000000
#define ALIGN_ERROR 0x8000000000000002
#define UNSUPPORTED 0x8000000000000003
#define HOSTS (1ul << 47)

/* What the TDX module, and a host that does as KVM does, say to arguments at the edges. */
static const struct { char name[32]; struct tdcall in; u64 want; } edges[] = {
	LEAF("accept at level 3", PAGE_ACCEPT, UNACCEPTED | 3, 0, 0, 0, RCX_INVALID),
	LEAF("accept at level 7", PAGE_ACCEPT, UNACCEPTED | 7, 0, 0, 0, RCX_INVALID),
	LEAF("accept 1 GiB", PAGE_ACCEPT, UNACCEPTED | 2, 0, 0, 0, RCX_INVALID),
	LEAF("accept 2 MiB off 2 MiB", PAGE_ACCEPT, (UNACCEPTED + 4096) | 1, 0, 0, 0, RCX_INVALID),
	LEAF("accept with bit 3", PAGE_ACCEPT, UNACCEPTED | 8, 0, 0, 0, RCX_INVALID),
	LEAF("accept with bit 11", PAGE_ACCEPT, UNACCEPTED | 1 << 11, 0, 0, 0, RCX_INVALID),
	LEAF("accept what is shared", PAGE_ACCEPT, UNACCEPTED | HOSTS, 0, 0, 0, RCX_INVALID),
	LEAF("accept beyond the addresses", PAGE_ACCEPT, UNACCEPTED | 1ul << 48, 0, 0, 0, RCX_INVALID),
	LEAF("accept with bit 52", PAGE_ACCEPT, UNACCEPTED | 1ul << 52, 0, 0, 0, RCX_INVALID),
	LEAF("accept with bit 63", PAGE_ACCEPT, UNACCEPTED | 1ul << 63, 0, 0, 0, RCX_INVALID),
	LEAF("accept", PAGE_ACCEPT, UNACCEPTED | 1, 0, 0, 0, 0),
	LEAF("accept again", PAGE_ACCEPT, UNACCEPTED | 1, 0, 0, 0, 0x00000b0a00000001),
	LEAF("accept a part again", PAGE_ACCEPT, UNACCEPTED + 4096, 0, 0, 0, 0x00000b0a00000001),
	LEAF("accept 4 KiB", PAGE_ACCEPT, UNACCEPTED + 2 * MIB, 0, 0, 0, 0),
	LEAF("accept 2 MiB around it", PAGE_ACCEPT, (UNACCEPTED + 2 * MIB) | 1, 0, 0, 0, 0xc0000b0b00000001),
	LEAF("a leaf that there is not", 0xffff, 0, 0, 0, 0, UNKNOWN_LEAF),
	LEAF("a version that there is not", PAGE_ACCEPT | 1 << 16, UNACCEPTED, 0, 0, 0, UNKNOWN_LEAF),
	LEAF("#VE without #VE", 3, 0, 0, 0, 0, 0xc000070400000000),
	LEAF("read no field", 7, 0, 0, 0, 0, UNKNOWN_FIELD),
	LEAF("read field -1", 7, 0, ~0ul, 0, 0, UNKNOWN_FIELD),
	LEAF("a report off its place", 4, UNACCEPTED + 0x401, UNACCEPTED, 0, 0, RCX_INVALID),
	LEAF("RTMR from off its place", 2, UNACCEPTED + 1, 0, 0, 0, RCX_INVALID),
	LEAF("RTMR 4 of 4", 2, UNACCEPTED, 4, 0, 0, 0xc000010000000002),
	REGISTERS("RAX to the host", 1 << 0, RCX_INVALID),
	REGISTERS("RCX to the host", 1 << 1, RCX_INVALID),
	REGISTERS("RSP to the host", 1 << 4, RCX_INVALID),
	REGISTERS("RBP to the host", 1 << 5, RCX_INVALID),
	REGISTERS("register 32 to the host", 1ul << 32, RCX_INVALID),
	REGISTERS("no register to the host", 0, 0),
	CALL("share from off a page", VMCALL_MAP_GPA, (UNACCEPTED + 1) | HOSTS, 4096, 0, 0, ALIGN_ERROR),
	CALL("share less than a page", VMCALL_MAP_GPA, UNACCEPTED | HOSTS, 4095, 0, 0, ALIGN_ERROR),
	CALL("share nothing", VMCALL_MAP_GPA, UNACCEPTED | HOSTS, 0, 0, 0, INVALID_OPERAND),
	CALL("share around 2^64", VMCALL_MAP_GPA, UNACCEPTED | HOSTS, -4096, 0, 0, INVALID_OPERAND),
	CALL("share private addresses", VMCALL_MAP_GPA, HOSTS - 4096, 8192, 0, 0, INVALID_OPERAND),
	CALL("share no memory", VMCALL_MAP_GPA, 1ul << 40 | HOSTS, 4096, 0, 0, INVALID_OPERAND),
	CALL("share beyond the addresses", VMCALL_MAP_GPA, UNACCEPTED | 1ul << 48, 4096, 0, 0, INVALID_OPERAND),
	CALL("3 bytes of a port", VMCALL_IO, 3, 0, 0x80, 0, INVALID_OPERAND),
	CALL("a port in direction 2", VMCALL_IO, 1, 2, 0x80, 0, INVALID_OPERAND),
	CALL("3 bytes of a device", VMCALL_MMIO, 3, 0, 0xfec00000 | HOSTS, 0, INVALID_OPERAND),
	CALL("a device at a private address", VMCALL_MMIO, 4, 0, 0xfec00000, 0, INVALID_OPERAND),
	CALL("an MSR that there is not", VMCALL_RDMSR, 0x12345678, 0, 0, 0, INVALID_OPERAND),
	CALL("EFER", VMCALL_WRMSR, 0xc0000080, 0, 0, 0, INVALID_OPERAND),
	CALL("a call that there is not", 0x12345, 0, 0, 0, 0, UNSUPPORTED),
};

static void module_edges(void)
{
	u64 i, n = platform() == TDX ? sizeof edges / sizeof *edges : 0;

	for (i = 0; i < n; i++) {
		struct tdcall r = edges[i].in;
		u64 got = tdcall(&r);

		if (!got && r.r11 && edges[i].in.rcx == 0xfc00)
			got = r.r10; /* what the host says */
		if (got != edges[i].want) {
			say(edges[i].name, got);
			say("expected", edges[i].want);
		}
	}
	say("edges", i);
	power_off();
}

/* ask_at_random makes the host of an SEV-SNP guest requests that are mostly meaningful, and returns how many of its answers are none. */
static u64 ask_at_random(u64 n)
{
	static const u64 codes[] = {
		0x27, 0x37, 0x6e, 0x6f, 0x72, 0x7b, 0x7c, 0x81, 0x87, 0x89, 0x400, 0x80000001, 0x80000002, 0x80000003, 0x80000005,
		0x80000010, 0x80000011, 0x80000012, 0x8000fffd, 0x8000fff0, 0x80000018, 0, ~0ul,
	};
	u64 page = THERE, wrong = 0, i;

	for (; n; n--) {
		for (i = 0; i < 16; i++)
			*(u64 *)(page + random_number() % 64 * 8) = random_number();
		*(u64 *)(page + 0x390) = codes[random_number() % (sizeof codes / sizeof *codes)]; /* SW_EXITCODE, and what goes with it */
		*(u64 *)(page + 0x398) = random_number() >> random_number() % 64;
		*(u64 *)(page + 0x3a0) = random_number() % 2 ? random_number() % 0x2000 : random_number() >> random_number() % 64;
		*(u64 *)(page + 0x3a8) = random_number() % 4 ? UNACCEPTED + 0x700 + random_number() % 0xa00 : random_number();
		if (*(u64 *)(page + 0x390) == 0x7b) /* a port: one that does nothing */
			*(u64 *)(page + 0x398) = (u16)random_number() | 0x800000;
		*(u64 *)(page + 0x3f0) = random_number() % 16 ? ~0ul : random_number(); /* what is valid */
		*(u64 *)(page + 0x3f8) = random_number() % 16 ? ~0ul : random_number();
		*(u32 *)(page + 0xffc) = random_number() % 32 ? 0 : random_number(); /* usage */
		*(u64 *)(page + 0x800) = random_number() % 300 | random_number() % 300 << 16; /* a page state change */
		for (i = 1; i < 17; i++)
			*(u64 *)(page + 0x800 + 8 * i) = random_number() % 4 << 52 | random_number() % 2 << 56 | (UNACCEPTED + MIB + random_number() % (32 * MIB) / 4096 * 4096);
		ghcb(UNACCEPTED);
		wrong += (u32)*(u64 *)(page + 0x398) > 2; /* 0: done; 1: an exception; 2: refused */
	}
	return wrong;
}

static void random_requests(void)
{
	if (platform() == SNP) {
		set_up_ghcb();
		say("no answers", ask_at_random(1000));
	}
	power_off();
}

/* The same without end. */
static void requests(void)
{
	set_up_ghcb();
	ask_at_random(~0ul);
}
