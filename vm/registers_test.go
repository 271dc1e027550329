package vm_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// atStart returns a machine in front of the first instruction of its image.
func atStart(t *testing.T, platform string) *vm.Machine {
	t.Helper()
	m, err := vm.New(vm.Config{Platform: platform, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if came, err := m.Run(context.Background(), vm.AtInstruction(0)); err != nil || !came {
		t.Fatal(came, err)
	}
	return m
}

// What is set is what is read, by the machine and by a fork of it, and the guest goes on with it.
func TestRegistersAndMemory(t *testing.T) {
	for _, platform := range vm.PlatformNames() {
		m := atStart(t, platform)
		before := m.Registers()
		code := make([]byte, 16)
		if n, err := m.ReadMemory(before.RIP, code); err != nil || n != len(code) {
			t.Fatalf("%s: %d bytes at RIP: %v", platform, n, err)
		}
		if _, err := m.Fork(vm.Config{}); err != nil { // what comes after must not be taken for this
			t.Fatal(err)
		}

		// mov rax, rbx; jmp to itself
		program := []byte{0x48, 0x89, 0xD8, 0xEB, 0xFE}
		if err := m.WriteMemory(before.RIP, program); err != nil {
			t.Fatalf("%s: %v", platform, err)
		}
		want := before
		want.RBX, want.R15, want.XMM[3], want.MXCSR = 0x1234_5678_9ABC, 15, [2]uint64{1, 2}, 0x1F81
		if err := m.SetRegisters(want); err != nil {
			t.Fatalf("%s: %v", platform, err)
		}
		if got := m.Registers(); got != want {
			t.Errorf("%s: registers are\n%+v, want\n%+v", platform, got, want)
		}
		fork, err := m.Fork(vm.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer fork.Close()
		if _, err := fork.Run(context.Background(), vm.AtInstruction(100)); err != nil {
			t.Fatal(err)
		}
		if got := fork.Registers(); got.RAX != want.RBX || got.RIP != before.RIP+3 || got.R15 != 15 {
			t.Errorf("%s: after 100 instructions RAX is %#x at %#x", platform, got.RAX, got.RIP)
		}
		if n, err := fork.ReadMemory(before.RIP, code); err != nil || n != len(code) || !bytes.Equal(code[:len(program)], program) {
			t.Errorf("%s: the fork's code is % x: %v", platform, code, err)
		}
	}
}

// What cannot be set is an error, and changes nothing.
func TestRegistersThatCannotBeSet(t *testing.T) {
	m := atStart(t, vm.None)
	before := m.Registers()
	for name, change := range map[string]func(*vm.Registers){
		"control registers": func(r *vm.Registers) { r.CR0 ^= 1 << 31 },
		"segment":           func(r *vm.Registers) { r.CS ^= 8 },
		"not canonical":     func(r *vm.Registers) { r.RIP = 1 << 62 },
		"MXCSR":             func(r *vm.Registers) { r.MXCSR = 1 << 20 },
	} {
		r := before
		r.RAX++
		change(&r)
		if err := m.SetRegisters(r); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m.Registers() != before {
		t.Error("a refused change has changed something")
	}
	const nowhere = 0xFFFF_8000_0000_0000
	if n, err := m.ReadMemory(nowhere, make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes read where nothing is mapped: %v", n, err)
	}
	if err := m.WriteMemory(nowhere, []byte{0}); err == nil {
		t.Error("written to where nothing is mapped")
	}
}

// Looking at memory that has not been accepted is refused and accepts nothing.
func TestReadMemoryThatIsNotAccepted(t *testing.T) {
	const unaccepted = 900 << 20
	for _, platform := range vm.ConfidentialPlatforms() {
		m := atStart(t, platform)
		state := m.State(unaccepted)
		if n, err := m.ReadMemory(unaccepted, make([]byte, 8)); n != 0 || err == nil {
			t.Errorf("%s: %d bytes of a page that is %s", platform, n, state)
		}
		if err := m.WriteMemory(unaccepted, []byte{1}); err == nil {
			t.Errorf("%s: a page that is %s has been written to", platform, state)
		}
		if now := m.State(unaccepted); now != state {
			t.Errorf("%s: the page was %s and is %s", platform, state, now)
		}
	}
}
