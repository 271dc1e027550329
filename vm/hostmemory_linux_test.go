package vm

import (
	"os"
	"path/filepath"
	"testing"
)

// The tightest limit of all groups that the process is in counts, in both versions of control groups, less what is used
// and cannot be had back.
func TestControlGroups(t *testing.T) {
	const gib = 1 << 30
	for name, c := range map[string]struct {
		membership string
		files      map[string]string
		left       uint64
		limited    bool
	}{
		"version 2": {"0::/a/b\n", map[string]string{
			"a/b/memory.max": "4294967296\n", "a/b/memory.current": "1073741824\n", "a/b/memory.stat": "anon 5\ninactive_file 536870912\nfile 7\n",
			"a/memory.max": "max\n", "a/memory.current": "99",
		}, 3*gib + gib/2, true},
		"a tighter parent": {"0::/a/b\n", map[string]string{
			"a/b/memory.max": "4294967296", "a/memory.max": "2147483648", "a/memory.current": "1073741824",
		}, gib, true},
		"used up":              {"0::/a\n", map[string]string{"a/memory.max": "10", "a/memory.current": "20"}, 0, true},
		"no limit":             {"0::/a\n", map[string]string{"a/memory.max": "max"}, 0, false},
		"the path of the host": {"0::/system.slice/docker-1.scope\n", map[string]string{"memory.max": "1073741824"}, gib, true},
		"version 1": {"12:pids:/x\n5:cpu,memory:/x\n0::/y\n", map[string]string{
			"memory/x/memory.limit_in_bytes": "2147483648", "memory/x/memory.usage_in_bytes": "1073741824", "memory/x/memory.stat": "inactive_file 1\ntotal_inactive_file 1024\n",
			"memory/memory.limit_in_bytes": "9223372036854771712",
		}, gib + 1024, true},
		"nothing": {"", nil, 0, false},
		"garbage": {"x\n::\n:::\n0::/../..\n", map[string]string{"memory.max": "many"}, 0, false},
	} {
		root := t.TempDir()
		for path, text := range c.files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if left, limited := groupsLeave(root, []byte(c.membership)); left != c.left || limited != c.limited {
			t.Errorf("%s: %d, %v, want %d, %v", name, left, limited, c.left, c.limited)
		}
	}
	if n := availableMemory(); n < 64<<20 || n > 1<<50 {
		t.Errorf("this host has %d bytes available", n)
	}
}
