/*
 * What the careless guests have in common: how they let their host act, and how they report what they believe.
 */

#include "confidential.h"

/* exit_once lets the host act: a hypercall that it does not have, or a request for CPUID. */
static void exit_once(void)
{
	if (platform() == TDX) {
		struct tdcall r = { .rcx = 1 << 10, .r10 = 1 };

		tdcall(&r);
	} else
		ghcb(4);
}

/* value asks the host of a TD, and returns what it answers in R11. */
static u64 value(u64 function, u64 a, u64 b, u64 c)
{
	struct tdcall r = { .rcx = 0xfc00, .r11 = function, .r12 = a, .r13 = b, .r14 = c };

	tdcall(&r);
	return r.r11;
}

/* in_port and out_port do port I/O of 1, 2 or 4 bytes. */
static u32 in_port(u16 port, int size)
{
	u64 v = platform() == TDX ? value(VMCALL_IO, size, 0, port) : ask(0x7b, (u64)port << 16 | size << 4 | 1, 0, 0, 0);

	return v & (~0u >> (32 - 8 * size));
}

static void out_port(u16 port, int size, u32 v)
{
	if (platform() == TDX)
		vmcall(VMCALL_IO, size, 1, port, v);
	else
		ask(0x7b, (u64)port << 16 | size << 4, 0, v, 0);
}

static u8 in_byte(u16 port) { return in_port(port, 1); }
static void out_byte(u16 port, u8 byte) { out_port(port, 1, byte); }

static u64 read_msr(u32 index)
{
	if (platform() == TDX)
		return value(VMCALL_RDMSR, index, 0, 0);
	return (u32)ask(0x7c, 0, 0, 0, index);
}

static void write_msr(u32 index, u32 v)
{
	if (platform() == TDX)
		vmcall(VMCALL_WRMSR, index, v, 0, 0);
	else
		ask(0x7c, 1, 0, v, index);
}

static u32 load_device(u64 at)
{
	if (platform() == TDX)
		return value(VMCALL_MMIO, 4, 0, at | SHARED_BIT);
	ask(0x80000001, at, 4, 0, 0);
	return FIELD(BUFFER);
}

static void report(const char *text)
{
	for (; *text; text++)
		out_byte(0x2f8, *text);
}

static void report_number(u64 n)
{
	char digits[21];
	int at = 20;

	digits[at] = 0;
	do
		digits[--at] = '0' + n % 10;
	while (n /= 10);
	report(digits + at);
}

/* believes reports as much memory as the host says, in MiB, and ends. */
static void believes(u64 mib)
{
	report("tacit 1\nbegin init\nend init\nmeminfo MemTotal=");
	report_number((mib & 0xffff) + 1000);
	report("000\ndone\n");
	power_off();
}

static void start(void)
{
	if (platform() == SNP)
		set_up_ghcb();
}
