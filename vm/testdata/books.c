/*
 * An EFI application that accepts pages, takes that back and gives them to the host, at random, and keeps its own books by
 * the specifications' rules: what the TDX module and PVALIDATE answer must be what these say.
 */

#include "confidential.h"

enum { UNITS = 4, PER_UNIT = 512, ALL_PAGES = UNITS * PER_UNIT };

static u8 is_accepted[ALL_PAGES], is_shared[ALL_PAGES];
static enum { UNUSED, WHOLE, DIVIDED } unit[UNITS];

static void set(u8 *of, u64 page, u64 n, u8 value)
{
	while (n--)
		of[page++] = value;
}

/* TDG.MEM.PAGE.ACCEPT: TDX Module ABI specification, and what firmware's host adds: a page of the size asked for. */
static u64 tdx_answer(u64 page, u64 level)
{
	u64 u = page / PER_UNIT;

	if (level > 1 || (level == 1 && page % PER_UNIT))
		return 0xc000010000000001; /* operand invalid: RCX */
	if (unit[u] == WHOLE)
		return 0x00000b0a00000001; /* already accepted, at level 1 */
	if (level == 1 && unit[u] == DIVIDED)
		return 0xc0000b0b00000001; /* page size mismatch */
	if (is_accepted[page])
		return 0x00000b0a00000000;
	unit[u] = level == 1 ? WHOLE : DIVIDED;
	set(is_accepted, page, level == 1 ? PER_UNIT : 1, 1);
	is_shared[page] = 0;
	return 0;
}

/* PVALIDATE: AMD64 APM volume 3. The host gives whole units, and divides one where it is asked for less. */
static u64 snp_answer(u64 page, int large, int validate)
{
	u64 u = page / PER_UNIT;
	int before = is_accepted[page];

	if (large && page % PER_UNIT)
		return 1; /* FAIL_INPUT */
	if (large && unit[u] == DIVIDED)
		return 6; /* FAIL_SIZEMISMATCH */
	unit[u] = large ? WHOLE : DIVIDED;
	set(is_accepted, page, large ? PER_UNIT : 1, validate);
	is_shared[page] = 0;
	return before == validate ? CARRY : 0;
}

/* convert gives a page to the host. */
static void convert(u64 page)
{
	u64 at = UNACCEPTED + page * 4096;

	if (unit[page / PER_UNIT] == UNUSED)
		return;
	if (platform() == TDX)
		vmcall(VMCALL_MAP_GPA, at | SHARED_BIT, 4096, 0, 0);
	else
		change_page_state(at, 2);
	unit[page / PER_UNIT] = DIVIDED;
	is_accepted[page] = 0;
	is_shared[page] = 1;
}

static void keeps_books(void)
{
	u64 i, wrong = 0, accepted = 0, shared = 0;

	for (i = 0; platform() != NONE && i < 10000; i++) {
		u64 page = random_number() % ALL_PAGES, level = random_number() % 8, got, want;

		if (random_number() % 2)
			page -= page % PER_UNIT;
		if (random_number() % 4 == 0) {
			convert(page);
			continue;
		}
		if (platform() == TDX) {
			level = level < 5 ? 0 : level % 5;
			want = tdx_answer(page, level);
			got = tdx_accept((UNACCEPTED + page * 4096) | level);
		} else {
			int large = level == 0, validate = random_number() % 3 != 0;

			want = snp_answer(page, large, validate);
			got = pvalidate(UNACCEPTED + page * 4096, large, validate);
		}
		if (got != want && wrong++ < 5) {
			say("page", page);
			say("answer", got);
			say("by the books", want);
		}
	}
	for (i = 0; i < ALL_PAGES; i++) {
		accepted += is_accepted[i];
		shared += is_shared[i];
	}
	say("wrong", wrong);
	say("accepted", accepted);
	say("shared", shared);
	power_off();
}
