package vm

import (
	"bufio"
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"
)

// availableMemory returns how many bytes this process can take before something has to give: what the host has free or
// can free (MemAvailable, proc(5)), and what each control group that the process is in has left of its limit. It is 0
// where that is not known.
func availableMemory() uint64 {
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	available := keyed(meminfo, "MemAvailable:") << 10
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return available // a kernel without control groups
	}
	if left, ok := groupsLeave("/sys/fs/cgroup", membership); ok {
		available = min(available, left)
	}
	return available
}

// groupsLeave returns how much the control groups leave; ok is false where none has a limit. Membership is
// /proc/self/cgroup: a line for each hierarchy, with its controllers and the path of the group (cgroups(7)). In a
// container the path may be the host's, which is not there; then the root is the group.
func groupsLeave(root string, membership []byte) (left uint64, ok bool) {
	for lines := bufio.NewScanner(bytes.NewReader(membership)); lines.Scan(); {
		_, rest, _ := strings.Cut(lines.Text(), ":")
		controllers, group, found := strings.Cut(rest, ":")
		names := groupFiles{"memory.max", "memory.current", "inactive_file"}
		hierarchy := root
		switch {
		case !found:
			continue
		case controllers == "": // version 2
		case strings.Contains(","+controllers+",", ",memory,"):
			names = groupFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
			hierarchy = path.Join(root, "memory")
		default:
			continue
		}
		for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
			if n, limited := names.left(path.Join(hierarchy, dir)); limited && (!ok || n < left) {
				left, ok = n, true
			}
			if dir == "/" {
				break
			}
		}
	}
	return left, ok
}

// groupFiles are the names of what one version of control groups says of a group's memory.
type groupFiles struct {
	limit, usage string // files
	cache        string // a key of memory.stat: what counts as used and can be had back
}

// left returns how much a group leaves of its limit; limited is false where it has none, or is not there.
func (f groupFiles) left(dir string) (left uint64, limited bool) {
	limit, ok := number(path.Join(dir, f.limit))
	if !ok {
		return 0, false
	}
	used, _ := number(path.Join(dir, f.usage))
	if stat, err := os.ReadFile(path.Join(dir, "memory.stat")); err == nil {
		used -= min(used, keyed(stat, f.cache))
	}
	return limit - min(limit, used), true
}

// number reads a file with a number in it; "max" is none.
func number(name string) (uint64, bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// keyed finds the number after a word at the beginning of a line; 0 where there is none.
func keyed(text []byte, word string) uint64 {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 1 && f[0] == word {
			n, _ := strconv.ParseUint(f[1], 10, 64)
			return n
		}
	}
	return 0
}
