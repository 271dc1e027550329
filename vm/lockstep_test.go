package vm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// The interpreter and itself with shorter blocks are two engines, too: the guest in Go on each platform, compared after
// each block and after so many instructions.
func TestLockstep(t *testing.T) {
	t.Parallel()
	for _, platform := range vm.PlatformNames() {
		for _, every := range []uint64{0, 1000} {
			t.Run(platform, func(t *testing.T) {
				t.Parallel()
				cfg := vm.Config{Platform: platform, Memory: 512 * mib, LockstepEvery: every}
				alone := boot(t, cfg)
				cfg.AgainstInterpreter(1, nil)
				b := boot(t, cfg)
				b.powersOff(t)
				if got, want := b.bytes(t), alone.bytes(t); !bytes.Equal(got, want) {
					t.Errorf("in lock-step:\n%s\nalone:\n%s", got, want)
				}
			})
		}
	}
}

// bytes returns the record, but for what it says of the host, and the console.
func (b booted) bytes(t testing.TB) []byte {
	t.Helper()
	r := *b.Record
	r.Host = record.Host{}
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return append(got, b.console...)
}

// An engine with a mistake is found at the step that makes it, whatever it is that is wrong; in what is seldom compared, later.
func TestLockstepFindsMistakes(t *testing.T) {
	t.Parallel()
	const at = 1_000_000 // instructions
	for name, c := range map[string]struct {
		plant func(*x86.CPU)
		says  string
		late  bool
	}{
		"a bit of a register": {func(c *x86.CPU) { c.R[x86.RBX] ^= 1 << 40 }, "\n  RBX: 0x", false},
		"a flag":              {func(c *x86.CPU) { c.SetFlags(c.Flags() ^ x86.FlagAF) }, "\n  RFLAGS: 0x", false},
		"a register of SSE":   {func(c *x86.CPU) { c.X[9][1]++ }, "\n  XMM[9][1]: 0x", false},
		"time":                {func(c *x86.CPU) { c.Idle(1) }, "\n  Extra: 0x", false},
		"a translation":       {func(c *x86.CPU) { c.Forget(physical.Private, 0, 1<<40) }, "of the data TLB of mode 0: page 0x", true},
		"memory":              {func(c *x86.CPU) { _ = c.WritePhysical(300*mib, []byte{1}) }, "\n  memory: the private page at guest-physical address 0x12c00000", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, planted := vm.Config{Platform: vm.None, Memory: 512 * mib, Console: io.Discard}, false
			cfg.AgainstInterpreter(7, func(cpu *x86.CPU) {
				if !planted && cpu.Instructions() >= at {
					c.plant(cpu)
					planted = true
				}
			})
			_, err := vm.Run(context.Background(), cfg)
			var differ *vm.DifferenceError
			if !errors.As(err, &differ) {
				t.Fatalf("the mistake was not found: %v", err)
			}
			if n := differ.Instructions; n < at-100 || !c.late && n >= at || !strings.Contains(err.Error(), c.says) || len(differ.Code) == 0 {
				t.Errorf("it says %v", err)
			}
		})
	}
}
