package inside

import "testing"

func TestRoom(t *testing.T) {
	const mib = "048576" // of 1048576, with a digit before it
	for what, c := range map[string]struct {
		files []string
		want  uint64
		wrong bool
	}{
		"no control groups": {nil, unlimited, false},
		"the root":          {[]string{"proc/self/cgroup", "0::/\n"}, unlimited, false},
		"no limit":          {[]string{"proc/self/cgroup", "0::/a\n", "sys/fs/cgroup/a/memory.current", "5\n", "sys/fs/cgroup/a/memory.max", "max\n"}, unlimited, false},
		"its own": {[]string{"proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.current", "1000\n", "sys/fs/cgroup/a/b/memory.max", "5000\n",
			"sys/fs/cgroup/a/b/memory.high", "4500\n"}, 3500, false},
		"one above": {[]string{"proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.current", "1000\n", "sys/fs/cgroup/a/b/memory.max", "5000\n",
			"sys/fs/cgroup/a/memory.current", "7000\n", "sys/fs/cgroup/a/memory.max", "7100\n"}, 100, false},
		"none left": {[]string{"proc/self/cgroup", "0::/a\n", "sys/fs/cgroup/a/memory.current", "7000\n", "sys/fs/cgroup/a/memory.max", "6000\n"}, 0, false},
		"version 1": {[]string{"proc/self/cgroup", "5:cpu,memory:/a\n0::/\n", "sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1" + mib + "\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3" + mib + "\n"}, 2000000, false},
		"outside of its name space": {[]string{"proc/self/cgroup", "0::/../../a\n"}, unlimited, false},
		"no list":                   {[]string{"proc/self/cgroup", "a\n"}, 0, true},
		"no number":                 {[]string{"proc/self/cgroup", "0::/a\n", "sys/fs/cgroup/a/memory.current", "many"}, 0, true},
		"no limit's number":         {[]string{"proc/self/cgroup", "0::/a\n", "sys/fs/cgroup/a/memory.current", "1", "sys/fs/cgroup/a/memory.max", "-1"}, 0, true},
	} {
		got, err := roomOf(files(c.files...))
		if (err != nil) != c.wrong || !c.wrong && got != c.want {
			t.Errorf("%s: got %d, %v, want %d", what, got, err, c.want)
		}
	}
}

func TestCheckNodes(t *testing.T) {
	for _, c := range []struct {
		has, may string
		good     bool
	}{
		{"0\n", "0", true}, {"0-1\n", "0", false}, {"0-1\n", "0-3", true}, {"0,2\n", "0-1", false}, {"0,2\n", "0,2-3", true}, {"0-1\n", "", false},
	} {
		err := checkNodes(files("sys/devices/system/node/has_memory", c.has, "proc/self/status", "Name:\tx\nMems_allowed:\tff\nMems_allowed_list:\t"+c.may+"\n"))
		if (err == nil) != c.good {
			t.Errorf("memory on %q, allowed %q: %v", c.has, c.may, err)
		}
	}
	if err := checkNodes(files()); err != nil {
		t.Errorf("without nodes: %v", err)
	}
}
