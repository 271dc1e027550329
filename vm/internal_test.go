package vm

import (
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/record"
)

// A bound that is firmware's own is nothing that the architecture forbids.
func TestFirmwaresOwnBoundIsALimit(t *testing.T) {
	end := fmt.Errorf("StartImage: %w", &firmware.BoundError{What: "nested"})
	if o := new(Machine).outcome(end); o != record.Limit {
		t.Errorf("%v: outcome %s", end, o)
	}
}

// The oops that became the panic is where a kernel went wrong. Warnings, user programs and what comes later are not.
func TestConsoleHeedsTheOops(t *testing.T) {
	for name, c := range map[string]struct{ console, want string }{
		"an oops": {"[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000\n[    1.0] Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI\n" +
			"[    1.0] RIP: 0010:sysrq_handle_crash+0x16/0x20\n[    1.0] RIP: 0033:0x7f0000001234\n[    1.0] Kernel panic - not syncing: Fatal exception\n",
			"RIP: 0010:sysrq_handle_crash+0x16/"},
		"a warning": {"WARNING: CPU: 0 PID: 1 at mm/x.c:1 f+0x1/0x2\nRIP: 0010:f+0x1/0x2\nKernel panic - not syncing: VFS: no\n", ""},
		"two": {"general protection fault: 0000 [#1] SMP\nRIP: 0010:first+0x1/0x2\nOops: 0000 [#2] SMP\nRIP: 0010:second+0x10/0x20 [mod]\n",
			"RIP: 0010:second+0x10/"},
		"no names":      {"Oops: 0000 [#1]\nRIP: 0010:0xffffffff81234567\n", "RIP: 0010:0xffffffff81234567"},
		"after the end": {"Kernel panic - not syncing: x\nOops: 0000 [#1]\nRIP: 0010:late+0x1/0x2\n", ""},
	} {
		var listener console
		if _, err := listener.Write([]byte(c.console)); err != nil {
			t.Fatal(err)
		}
		if listener.oops != c.want {
			t.Errorf("%s: %q, want %q", name, listener.oops, c.want)
		}
	}
}
