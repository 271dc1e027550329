/*
 * Careless guests: EFI applications each of which believes its host where it must not, in one way. The tests of package trial
 * say which attack breaks which. Under an honest host every one switches the machine off.
 */

#include "careless.h"

#define VICTIM 0x40000000ul /* unaccepted */

/* accept_2m accepts 2 MiB, in small pages where the host has such, and does not look what comes of it. */
static void accept_2m(u64 at)
{
	u64 end = at + 2 * MIB;

	if (platform() == TDX)
		tdx_accept(at | 1);
	else if ((u32)pvalidate(at, 1, 1) == 6) /* FAIL_SIZEMISMATCH */
		for (; at < end; at += 4096)
			pvalidate(at, 0, 1);
}

/* Accepts memory, uses it, and accepts it again, whatever that says. */
static void accepts_twice(void)
{
	accept_2m(VICTIM);
	*(volatile u64 *)VICTIM = 1;
	exit_once();
	accept_2m(VICTIM);
	exit_once();
	power_off();
}

/* The same, after it has changed what is there. */
static void changes_and_accepts(void)
{
	accept_2m(VICTIM);
	*(volatile u64 *)VICTIM = 1;
	exit_once();
	*(volatile u64 *)VICTIM = 2;
	exit_once();
	accept_2m(VICTIM);
	power_off();
}

/* Believe an MSR that the host serves, the MTRRs, a port, a device, a clock. */
static void believes_msr(void) { start(), believes(read_msr(0x140)); }
static void believes_mtrr(void) { start(), believes((read_msr(0x2ff) & 0x8ff) == 0x800 ? 0 : 4096); }
static void believes_port(void) { start(), out_byte(0x70, 0x35), believes(in_byte(0x71) * 256); }
static void believes_device(void) { start(), believes(load_device(0xfec00010)); }
static void believes_clock(void) { start(), out_byte(0x70, 9), believes(in_byte(0x71) * 256); }

/* Uses memory as anybody would, and reports what is there. */
static void uses_memory(void)
{
	int i;

	start();
	accept_2m(VICTIM);
	*(volatile u64 *)VICTIM = 10000;
	exit_once();
	*(volatile u64 *)VICTIM = 20000;
	for (i = 0; i < 8; i++)
		exit_once();
	believes(*(volatile u64 *)VICTIM);
}

/* Believes that the C-bit is where the host says, and that RDRAND has found something. */
static void believes_cbit(void)
{
	start();
	believes(platform() == SNP ? (ghcb(2) >> 24 & 0xff) * 64 : 0);
}

static void believes_rdrand(void)
{
	u64 v;

	start();
	asm volatile("rdrand %0" : "=r"(v) : : "cc");
	believes(v | 4096);
}

/* Accepts in its handler of #VE whatever it has touched. */
static void __attribute__((interrupt)) on_ve(void *frame)
{
	struct tdcall r = { .rax = 3 };

	(void)frame;
	tdcall(&r); /* TDG.VP.VEINFO.GET: R9 is the address */
	accept_2m(r.r9 & ~(2 * MIB - 1));
}

static void accepts_on_ve(void)
{
	start();
	if (platform() == TDX) {
		load_idt(0);
		set_gate(20, (u64)on_ve);
	}
	accept_2m(VICTIM);
	*(volatile u64 *)VICTIM = 1;
	exit_once();
	*(volatile u64 *)VICTIM = 2;
	power_off();
}

/* Asks the host what the architecture has told it. */
static void asks_for_features(void)
{
	if (platform() == TDX)
		value(10, 7, 0, 0);
	else
		ghcb(7ul << 32 | 1ul << 30 | 4);
	power_off();
}

/* Does not look whether the host has made memory shared. */
static void shares_blindly(void)
{
	map(HERE, VICTIM, SHARED);
	if (platform() == TDX)
		vmcall(VMCALL_MAP_GPA, VICTIM | SHARED_BIT, 4096, 0, 0);
	else
		change_page_state(VICTIM, 2);
	*(volatile u64 *)HERE = 1;
	power_off();
}

/* change asks for a page state change of two pages; the header is the host's to change. */
static void change(void)
{
	FIELD(BUFFER) = 1ul << 16;
	FIELD(BUFFER + 8) = VICTIM | 2ul << 52;
	FIELD(BUFFER + 16) = (VICTIM + 4096) | 2ul << 52;
	ask(0x80000010, 0, 0, 0, 0);
}

/* Does not look whether the host has made all of it shared. */
static void shares_half(void)
{
	start();
	map(HERE, VICTIM + 4096, SHARED);
	if (platform() == TDX)
		vmcall(VMCALL_MAP_GPA, VICTIM | SHARED_BIT, 8192, 0, 0);
	else
		change();
	*(volatile u64 *)HERE = 1;
	power_off();
}

/* Asks for as long as the host wants to be asked. */
static void asks_for_ever(void)
{
	start();
	if (platform() == TDX) {
		while (vmcall(VMCALL_MAP_GPA, VICTIM | SHARED_BIT, 8192, 0, 0) == 1)
			;
	} else {
		change();
		while ((FIELD(BUFFER) & 0xffff) <= (FIELD(BUFFER) >> 16 & 0xffff))
			ask(0x80000010, 0, 0, 0, 0);
	}
	power_off();
}

/* Does not look at what the host replies: to a port, to a page state change, in the GHCB's MSR. */
static void ignores_replies(void)
{
	set_up_ghcb();
	in_byte(0x71);
	change();
	ghcb(2);
	power_off();
}

/* Has handlers of interrupts that change what was interrupted, and of #VC that does what it is told. */
static void __attribute__((interrupt)) on_vc(void *frame, u64 code)
{
	(void)frame;
	ask(code, 0, 0, 7, 0);
}

asm(".text; on_interrupt: mov $1, %eax; iretq");

static void is_interrupted(void)
{
	extern char on_interrupt[];
	int i;

	start();
	load_idt((u64)on_interrupt);
	for (i = 32; i < 256; i++)
		set_gate(i, (u64)on_interrupt);
	set_gate(VC, (u64)on_vc);
	if (platform() == TDX)
		vmcall(VMCALL_WRMSR, 0x80f, 0x1ff, 0, 0);
	asm volatile("sti; mov $1000000, %%ecx; 1: pause; dec %%ecx; jnz 1b; cli" : : : "rax", "rcx", "cc");
	power_off();
}

/* Takes a #VC while it asks for something else, too. */
static void is_interrupted_asking(void)
{
	int i;

	start();
	load_idt(0);
	set_gate(VC, (u64)on_vc);
	for (i = 0; i < 1000; i++)
		in_byte(0x71);
	power_off();
}

/* Accepts whatever firmware says is unaccepted, and does not look what comes of it. */
static void accepts_all(void)
{
	u64 at, page, end;

	catch_exceptions();
	get_map();
	for (at = map_at; at + 40 <= map_at + map_size; at += descriptor_size) {
		u64 pages = *(u64 *)(at + PAGES);

		if (*(u32 *)(at + TYPE) != UNACCEPTED_MEMORY || pages > 4 << 20)
			continue;
		page = *(u64 *)(at + START);
		for (end = page + pages * 4096; page != end;) {
			if (page % (2 * MIB) || end - page < 2 * MIB) {
				attempt(accept_page, page);
				page += 4096;
			} else {
				attempt(accept_2m, page);
				page += 2 * MIB;
			}
		}
	}
	power_off();
}

/* Reports as much memory as firmware's map has, and 64 MiB for each descriptor, however they are to be read. */
static void counts_memory(void)
{
	u64 at, pages = 0;

	start();
	get_map();
	for (at = map_at; at + 40 <= map_at + map_size; at += descriptor_size)
		pages += *(u64 *)(at + PAGES) + 64 * MIB / 4096;
	believes(pages / 256);
}

/* Accepts what a table of unaccepted memory says, of whatever version it is. */
static void accepts_by_table(void)
{
	u64 n = *(u64 *)(system_table + 104), entry = *(u64 *)(system_table + 112), i, bit;

	catch_exceptions();
	for (i = 0; i < n; i++, entry += 24) {
		u64 at = *(u64 *)(entry + 16);

		if (*(u64 *)entry != 0x44f9105cd5d1de3c || *(u64 *)(entry + 8) != 0x31001298efbca99e)
			continue;
		for (bit = 0; bit < 8 * *(u64 *)(at + 16); bit++)
			if (*(u8 *)(at + 24 + bit / 8) >> bit % 8 & 1)
				attempt(accept_2m, *(u64 *)(at + 8) + bit * *(u32 *)(at + 4));
	}
	power_off();
}

/* Tries for ever to leave boot services. */
static void tries_to_leave(void)
{
	do
		get_map();
	while (boot(ExitBootServices, image_handle, map_key, 0, 0, 0, 0));
	power_off();
}

/* Looks at an answer, and then uses it as it is by then. */
static void reads_twice(void)
{
	int i;

	set_up_ghcb();
	for (i = 0; i < 100000 && ask(0x72, 0, 0, 0, 0) == FIELD(RAX); i++)
		;
	power_off();
}

/* Leaves what is not the host's in a register of a call (Linux before b6fb565a2d15: R15 of a read of a device). */
static void leaves_values(void)
{
	struct tdcall r = { .rcx = 0xfc00, .r11 = VMCALL_MMIO, .r12 = 4, .r14 = 0xfec00010 | SHARED_BIT, .r15 = 0x736563726574 };

	if (platform() == TDX)
		tdcall(&r);
	power_off();
}

/* Sends the secure processor another message under the number of one that failed (Linux before 47894e0fa6a5). */
static void numbers_again(void)
{
	enum { REQUEST = 4096, RESPONSE = 8192, NUMBER = 0x20, SIZE = 0x34, PAYLOAD = 0x60 };
	int i;

	if (platform() == SNP) {
		set_up_ghcb();
		map(THERE + REQUEST, UNACCEPTED + REQUEST, SHARED);
		change_page_state(UNACCEPTED + REQUEST, 2);
		change_page_state(UNACCEPTED + RESPONSE, 2);
		for (i = 0; i < 4096; i += 8)
			FIELD(REQUEST + i) = 0;
		FIELD(REQUEST + NUMBER) = 1;
		*(volatile u32 *)(THERE + REQUEST + SIZE) = 8 << 16;
		for (i = 1; i <= 2; i++) {
			FIELD(REQUEST + PAYLOAD) = i;
			ask(0x80000011, UNACCEPTED + REQUEST, UNACCEPTED + RESPONSE, 0, 0);
		}
	}
	power_off();
}
