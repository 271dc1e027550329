/*
 * Guests that believe that interrupts between their processors come, once, and at once, and that a host forgets from where a
 * processor once ran: see careless.c.
 */

#include "processors.h"
#include "careless.h"

#define VECTOR 0x40

static volatile u32 taken __attribute__((used)), sent, go;

asm(".text; on_ipi: lock incl taken(%rip); iretq");

/* The second processor has something done by the first, which is 1000 MiB of memory, and later something else. */
static void second(void)
{
	if (platform() == SNP)
		ghcb(UNACCEPTED | 0x12); /* its GHCB is the first one's, which that leaves to it */
	write_msr(0x830, VECTOR);
	sent = 1;
	while (!go)
		asm volatile("pause");
	read_msr(0x1b);
	sent = 2;
	for (;;)
		asm volatile("pause");
}

/* wait_for waits for the second processor, though not for ever, and a while longer. */
static void wait_for(u32 what)
{
	int i;

	for (i = 0; sent < what && i < 2000000; i++)
		asm volatile("pause");
	for (i = 0; i < 200000; i++)
		asm volatile("pause");
}

static void counts_interrupts(void)
{
	extern char on_ipi[];
	u32 first;

	start();
	load_idt((u64)on_ipi);
	set_gate(VECTOR, (u64)on_ipi);
	write_msr(0x80f, 0x1ff); /* the local APIC is on */
	start_second();
	asm volatile("sti");
	wait_for(1);
	first = taken;
	write_msr(0x80b, 0); /* end of interrupt */
	go = 1;
	wait_for(2);
	asm volatile("cli");
	believes(2000 + 2000 * first + 4000 * taken);
}

/* Has its second processor begin anew, and leaves the page that it began with first marked as a VMSA. */
static void leaves_vmsas(void)
{
	int i;

	start();
	if (platform() == SNP) {
		start_second();
		wait_for(1);
		start_second();
		for (i = 0; i < 4; i++)
			exit_once();
	}
	power_off();
}
