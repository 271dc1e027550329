/*
 * Two processors accept the same memory, a page at a time: without a lock, so that now and then both accept a page; and with
 * claims, as accept.Tracker has them. Who finds that a page was accepted before switches the machine off with an error.
 *
 * Another race needs a turn to end at one place, after a LOCK. In another program each takes two locks, a few times, and the
 * second processor in the other order.
 */

#include "processors.h"

#define PAGES 64
#define FIRST 0x40000000ul /* unaccepted */

static volatile u8 unaccepted[PAGES], claimed[PAGES];
static volatile u32 locked, other, noted, come, done;

/* accept_once accepts a page, and ends the guest where it has been accepted. */
static void accept_once(int i)
{
	u64 page = FIRST + i * 4096ul;
	u8 *services = *(u8 **)(system_table + 88);
	int twice;

	if (platform() == TDX) {
		twice = tdx_accept(page) != 0;
	} else {
		change_page_state(page, 1);
		twice = pvalidate(page, 0, 1) != 0;
	}
	if (twice)
		(*(service **)(services + 104))(2, 1ul << 63 | 21, 0, 0, 0, 0); /* EFI_ABORTED */
}

static void accept_unlocked(int second)
{
	for (int i = 0; i < PAGES; i++) {
		if (!unaccepted[i])
			continue;
		accept_once(i);
		unaccepted[i] = 0;
	}
}

/* accept_noted looks, notes that it has looked, and then says that it will: only in between is there room for another. */
static void accept_noted(int second)
{
	for (int i = 0; i < PAGES; i++) {
		if (!unaccepted[i])
			continue;
		__sync_fetch_and_add(&noted, 1);
		unaccepted[i] = 0;
		accept_once(i);
	}
}

static void take(volatile u32 *it)
{
	while (__sync_lock_test_and_set(it, 1))
		while (*it)
			asm volatile("pause");
}

static void lock(void) { take(&locked); }

static void unlock(void) { __sync_lock_release(&locked); }

static void accept_claimed(int second)
{
	for (int i = 0; i < PAGES; i++) {
		lock();
		while (claimed[i]) {
			unlock();
			asm volatile("pause");
			lock();
		}
		if (unaccepted[i]) {
			claimed[i] = 1;
			unlock();
			accept_once(i);
			lock();
			unaccepted[i] = 0;
			claimed[i] = 0;
		}
		unlock();
	}
}

static void take_both(int second)
{
	volatile u32 *const first = second ? &other : &locked;

	for (int i = 0; i < 4; i++) {
		take(first);
		take(second ? &locked : &other);
		__sync_lock_release(&other);
		unlock();
	}
}

static void (*work)(int second);

static void second(void)
{
	come = 1;
	work(1);
	done = 1;
	for (;;)
		asm volatile("pause");
}

static void run(void (*how)(int second))
{
	int i;

	work = how;
	for (i = 0; i < PAGES; i++)
		unaccepted[i] = 1;
	start_second();
	while (!come)
		asm volatile("pause");
	work(0);
	while (!done)
		asm volatile("pause");
	power_off();
}

static void races(void) { run(accept_unlocked); }
static void notes(void) { run(accept_noted); }
static void claims(void) { run(accept_claimed); }
static void locks(void) { run(take_both); }
