/*
 * EFI applications that have other processors work, through EFI_MP_SERVICES_PROTOCOL (PI 1.8, volume 2, section 13.4).
 */

#include "guest.h"

enum { LocateProtocol = 320 };

/* Offsets in the protocol. */
enum { GetNumber = 0, GetInfo = 8, StartupAll = 16, StartupThis = 24, SwitchBSP = 32, EnableDisable = 40, WhoAmI = 48 };

typedef u64 __attribute__((ms_abi)) service7(u64, u64, u64, u64, u64, u64, u64);

static u8 *mp;

static u64 call(u64 offset, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	return (*(service7 **)(mp + offset))((u64)mp, a, b, c, d, e, f);
}

static void locate(void)
{
	static const u8 guid[16] = {
		0x05, 0xa6, 0xdd, 0x3f, 0x6e, 0xa7, 0x46, 0x4f, 0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08,
	};

	if (boot(LocateProtocol, (u64)guid, 0, (u64)&mp, 0, 0, 0)) {
		print("no protocol\r\n");
		power_off();
	}
}

static volatile u64 sum, entered, release;

static void __attribute__((ms_abi)) adds(u64 argument)
{
	__atomic_fetch_add(&sum, argument, __ATOMIC_SEQ_CST);
}

/* What is the hypervisor's: CPUID, a port, a device's register, and firmware that a processor may ask who it is. */
static void __attribute__((ms_abi)) asks(u64 argument)
{
	u32 a = 0x40000000, b, c = 0, d, port;
	u64 who = 99;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	asm volatile("in $0x61, %%al" : "=a"(port));
	asm volatile("movl $1, (%0)" : : "r"(0xfec00000ul) : "memory");
	asm volatile("movl (%1), %0" : "=r"(d) : "r"(0xfec00010ul) : "memory");
	if (call(WhoAmI, (u64)&who, 0, 0, 0, 0, 0))
		who = 98;
	((u64 *)argument)[who] = d;
	__atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST);
}

static void __attribute__((ms_abi)) waits(u64 argument)
{
	while (!release)
		asm volatile("pause");
	__atomic_fetch_add(&sum, argument, __ATOMIC_SEQ_CST);
}

static void works(void)
{
	static u64 seen[16];
	static u32 info[12];
	u64 all = 0, enabled = 0, who = 99, event, index, *failed, i, same;
	u8 finished = 7;
	u32 version, health = 0;

	locate();
	say("number", call(GetNumber, (u64)&all, (u64)&enabled, 0, 0, 0, 0));
	say("processors", all);
	say("enabled", enabled);
	call(WhoAmI, (u64)&who, 0, 0, 0, 0, 0);
	say("this is", who);
	say("info", call(GetInfo, 1, (u64)info, 0, 0, 0, 0));
	say("APIC", info[0]);
	say("status", info[2]);

	say("all", call(StartupAll, (u64)adds, 0, 0, 0, 3, 0));
	say("sum", sum);
	say("one by one", call(StartupAll, (u64)adds, 1, 0, 0, 5, 0));
	say("sum", sum);
	say("asks", call(StartupAll, (u64)asks, 0, 0, 0, (u64)seen, 0));
	asm volatile("movl $1, (%0)" : : "r"(0xfec00000ul) : "memory");
	asm volatile("movl (%1), %0" : "=r"(version) : "r"(0xfec00010ul) : "memory");
	for (same = 0, i = 1; i < all; i++)
		same += seen[i] == version;
	say("asked alike", same);

	/* One that does not end in time, alone and with all. */
	say("late", call(StartupThis, (u64)waits, 1, 0, 1000, 1, (u64)&finished));
	say("finished", finished);
	say("late all", call(StartupAll, (u64)waits, 0, 0, 1000, 1, (u64)&failed));
	for (i = 0; failed[i] != 0xffffffff; i++)
		;
	say("failed", i);

	/* Without waiting: the event comes, and not before. */
	boot(CreateEvent, 0, 0, 0, 0, (u64)&event, 0);
	sum = 0;
	say("begun", call(StartupAll, (u64)waits, 0, event, 0, 2, 0));
	say("again", call(StartupAll, (u64)adds, 0, 0, 0, 1, 0));
	say("busy", call(StartupThis, (u64)adds, 1, 0, 0, 1, 0));
	say("event", boot(CheckEvent, event, 0, 0, 0, 0, 0));
	release = 1;
	say("waited", boot(WaitForEvent, 1, (u64)&event, (u64)&index, 0, 0, 0));
	say("sum", sum);

	/* What cannot be. */
	say("the first", call(StartupThis, (u64)adds, 0, 0, 0, 1, 0));
	say("none such", call(StartupThis, (u64)adds, all, 0, 0, 1, 0));
	say("no procedure", call(StartupAll, 0, 0, 0, 0, 1, 0));
	say("switch", call(SwitchBSP, 1, 0, 0, 0, 0, 0));
	say("disable", call(EnableDisable, 1, 0, (u64)&health, 0, 0, 0));
	call(GetInfo, 1, (u64)info, 0, 0, 0, 0);
	say("status", info[2]);
	sum = 0;
	say("all but one", call(StartupAll, (u64)adds, 0, 0, 0, 1, 0));
	say("sum", sum);
	power_off();
}

static volatile u64 pages[16], answers[16];

/* On SEV-SNP: the page in which this processor talks to the host, and what the host says there of its features. */
static void __attribute__((ms_abi)) talks(u64 argument)
{
	u64 who = 99;
	u32 low, high;
	u8 *ghcb;

	call(WhoAmI, (u64)&who, 0, 0, 0, 0, 0);
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0010130));
	ghcb = (u8 *)((u64)high << 32 | low);
	*(u64 *)(ghcb + 0x390) = 0x8000fffd; /* SW_EXITCODE: the hypervisor's features */
	ghcb[0x3fe] = 0x1c;                  /* that, SW_EXITINFO1 and 2 are valid */
	*(u16 *)(ghcb + 0xffa) = 2;          /* the protocol's version */
	asm volatile("rep; vmmcall" : : : "memory");
	pages[who] = (u64)ghcb;
	answers[who] = *(u64 *)(ghcb + 0x3a0);
}

static void talk(void)
{
	u64 all = 0, enabled, i, j, alike = 0, apart = 0;

	locate();
	call(GetNumber, (u64)&all, (u64)&enabled, 0, 0, 0, 0);
	say("all", call(StartupAll, (u64)talks, 0, 0, 0, 0, 0));
	say("again", call(StartupAll, (u64)talks, 0, 0, 0, 0, 0));
	talks(0);
	for (i = 0; i < all; i++) {
		alike += answers[i] == answers[0] && answers[i];
		for (j = 0; j < i; j++)
			apart += pages[i] != pages[j] && pages[i] % 4096 == 0;
	}
	say("alike", alike);
	say("apart", apart);
	power_off();
}
