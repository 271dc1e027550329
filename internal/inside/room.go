package inside

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// unlimited is the room of a process that no control group limits.
const unlimited = math.MaxUint64

// roomOf is how many bytes the control groups of this process let it have beyond what they hold now: the least of all above
// it, by memory.max and memory.high, or by memory.limit_in_bytes of version 1. What a group could give up of its page cache
// does not count, so that asking for no more reclaims nothing.
func roomOf(root fs.FS) (uint64, error) {
	text, err := read(root, "proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		return unlimited, nil // a kernel without control groups
	}
	if err != nil {
		return 0, err
	}
	room := uint64(unlimited)
	for line := range strings.Lines(text) {
		// hierarchy:controllers:path; of version 2 the hierarchy is 0, and there are no controllers
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			return 0, fmt.Errorf("/proc/self/cgroup: cannot read %q", line)
		}
		switch group := path.Clean("/" + f[2]); {
		case f[0] == "0" && f[1] == "":
			// Where version 1 has the memory, version 2 stands at unified.
			for _, mount := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"} {
				err = lower(&room, root, mount, group, "memory.current", "memory.max", "memory.high")
				if err != nil {
					return 0, err
				}
			}
		case strings.Contains(","+f[1]+",", ",memory,"):
			if err := lower(&room, root, "sys/fs/cgroup/memory", group, "memory.usage_in_bytes", "memory.limit_in_bytes"); err != nil {
				return 0, err
			}
		}
	}
	return room, nil
}

// lower lowers the room to what a group and all above it leave. A group that is not there, or that has no such files, sets
// no limit: the root has none, and in a container a group is found at another path.
func lower(room *uint64, root fs.FS, mount, group, used string, limits ...string) error {
	for ; ; group = path.Dir(group) {
		dir := path.Join(mount, group)
		current, err := number(root, path.Join(dir, used), 10)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, name := range limits {
			if err != nil {
				break
			}
			text, err := read(root, path.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) || text == "max" {
				continue
			}
			if err != nil {
				return err
			}
			limit, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return fmt.Errorf("%s/%s: %w", dir, name, err)
			}
			*room = min(*room, limit-min(limit, current))
		}
		if group == "/" {
			return nil
		}
	}
}

// checkNodes fails where this process may not use the memory of all nodes: there it would run out of what it may use while
// the books, which are of all, still show some.
func checkNodes(root fs.FS) error {
	has, err := read(root, "sys/devices/system/node/has_memory")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a kernel without nodes
	}
	if err != nil {
		return err
	}
	status, err := read(root, "proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(status) {
		if list, ok := strings.CutPrefix(line, "Mems_allowed_list:"); ok {
			if !within(has, strings.TrimSpace(list)) {
				return fmt.Errorf("this process may use memory of the nodes %s only, and there is some on %s: start it where its cpuset allows all",
					strings.TrimSpace(list), has)
			}
			return nil
		}
	}
	return errors.New("/proc/self/status does not say which nodes' memory may be used")
}

// within says whether one list of numbers, such as 0-3,8, has no number that is not in the other. A list of the kernel's is
// in order, and ranges in it do not touch.
func within(inner, outer string) bool {
	for part := range strings.SplitSeq(inner, ",") {
		first, last, ok := span(part)
		found := false
		for other := range strings.SplitSeq(outer, ",") {
			from, to, good := span(other)
			found = found || good && from <= first && last <= to
		}
		if !ok || !found {
			return false
		}
	}
	return true
}

func span(text string) (first, last int, ok bool) {
	a, b, dash := strings.Cut(strings.TrimSpace(text), "-")
	if !dash {
		b = a
	}
	first, err := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	return first, last, err == nil && err2 == nil
}
