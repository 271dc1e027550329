package inspect

import (
	"fmt"
	"strconv"
	"strings"
)

// release is the number of a Linux release: version, patch level, and of stable releases the sublevel.
type release [3]int

// parseRelease reads the number that a kernel release begins with, as in "6.12.9-cloud-amd64".
func parseRelease(text string) (r release, ok bool) {
	digits := text
	if end := strings.IndexFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') }); end >= 0 {
		digits = text[:end]
	}
	for i, part := range strings.Split(strings.Trim(digits, "."), ".") {
		if i == len(r) {
			break
		}
		n, err := strconv.Atoi(part)
		if err != nil || n > 1<<16 {
			return release{}, false
		}
		r[i] = n
		ok = i >= 1
	}
	return r, ok
}

func (r release) before(o release) bool {
	for i := range r {
		if r[i] != o[i] {
			return r[i] < o[i]
		}
	}
	return false
}

func (r release) String() string {
	if r[2] == 0 {
		return fmt.Sprintf("%d.%d", r[0], r[1])
	}
	return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2])
}

// since is the release of Linux that brought something. Distributions bring it to older ones: CentOS Stream 9 has
// unaccepted memory in its 5.14.
var since = map[question]release{
	guestTDX: {5, 19}, acceptsTDX: {6, 5}, guestSNP: {5, 19}, acceptsSNP: {6, 5}, negotiates: {6, 5},
}

// readRelease answers from the release that a kernel states.
func readRelease(text string) map[question][]Evidence {
	found := map[question][]Evidence{}
	r, ok := parseRelease(text)
	if !ok {
		return found
	}
	for q, first := range since {
		if r.before(first) {
			found[q] = []Evidence{evidence(Version, No, fmt.Sprintf("Linux has it since %v, this one states %s", first, text))}
		}
	}
	return found
}

// A defect of some releases of Linux in handling unaccepted memory.
type defect struct {
	name   string
	from   release   // the first release that has it
	fixed  release   // the first release that does not
	stable []release // of older series, the first stable release that does not
	what   string
	snp    bool // on SEV-SNP only
}

// defects are those that lose memory, or hang while accepting it. Where the fixes are: kernel.org's ChangeLog of each
// stable release named.
var defects = []defect{
	{
		"parallel-accept-lockup", release{6, 5}, release{6, 6}, []release{{6, 5, 9}},
		"CPUs that accept memory at the same time wait for each other until the watchdog speaks of a soft lockup", false,
	},
	{
		"endless-reclaim", release{6, 5}, release{6, 11}, []release{{6, 10, 7}},
		"the kernel may reclaim memory for ever instead of accepting more", false,
	},
	{
		"accept-before-watermarks", release{6, 12}, release{6, 14}, []release{{6, 12, 21}, {6, 13, 9}},
		"early in the boot too little memory is accepted, and allocations fail", false,
	},
	{
		"accept-with-shared-ghcb", release{6, 5}, release{6, 15}, []release{{6, 12, 25}},
		"the EFI stub accepts memory by way of a page that firmware may still use", true,
	},
	{
		"accept-race", release{6, 5}, release{6, 15}, []release{{6, 12, 30}},
		"two CPUs that accept the same memory can corrupt the page allocator's list (CVE-2025-38008)", false,
	},
	{
		"table-not-reserved", release{6, 5}, release{7, 0}, []release{{6, 12, 75}},
		"the last page of the table of unaccepted memory may be used for something else", false,
	},
}

// has tells whether a release has the defect. Sure is false for a series of which nothing is noted here.
func (d defect) has(r release) (has, sure bool) {
	if r.before(d.from) || !r.before(d.fixed) {
		return false, true
	}
	for _, s := range d.stable {
		if s[0] == r[0] && s[1] == r[1] {
			return r.before(s), true
		}
	}
	return true, r[2] == 0
}
