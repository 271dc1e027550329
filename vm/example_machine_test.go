package vm_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/tacit-vm/tacit/vm"
)

// Boot once, and try what becomes of the guest in two ways.
func ExampleMachine_Fork() {
	ctx := context.Background()
	line := "hold=300M" // what tacit's own guest is to use
	m, err := vm.New(vm.Config{Platform: vm.TDX, Memory: 1 << 30, CommandLine: &line})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Run(ctx, vm.AtInit()); err != nil {
		log.Fatal(err)
	}
	for _, attack := range []string{"", "drop:1"} {
		fork, err := m.Fork(vm.Config{HostAttack: attack})
		if err != nil {
			log.Fatal(err)
		}
		if _, err := fork.Run(ctx, vm.Event{}); err != nil {
			log.Fatal(err)
		}
		r, err := fork.Record()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q: %s\n", attack, r.Outcome)
		fork.Close()
	}
	// Output:
	// "": poweroff
	// "drop:1": violation
}

// A machine that is saved goes on in another process, or after another start of the same one.
func ExampleMachine_Save() {
	ctx := context.Background()
	line := "hold=32M"
	m, err := vm.New(vm.Config{Platform: vm.SNP, Memory: 1 << 30, CommandLine: &line})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Run(ctx, vm.AtInstruction(1_000_000)); err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := m.Save(&file); err != nil {
		log.Fatal(err)
	}

	again, err := vm.Load(&file, vm.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Run(ctx, vm.Event{}); err != nil {
		log.Fatal(err)
	}
	r, err := again.Record()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Outcome)
	// Output: poweroff
}

// A test of a guest waits for what the guest says.
func ExampleMachine_ExpectString() {
	line := "hold=32M"
	m, err := vm.New(vm.Config{Memory: 1 << 30, CommandLine: &line})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.ExpectString(context.Background(), "AllowUnacceptedMemory: allowed"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the guest has said that it accepts memory")
	// Output: the guest has said that it accepts memory
}

// A machine that stands still shows its registers, its memory, and what the platform takes a page for.
func ExampleMachine_Registers() {
	m, err := vm.New(vm.Config{Platform: vm.TDX, Memory: 1 << 30})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Run(context.Background(), vm.AtInstruction(0)); err != nil {
		log.Fatal(err)
	}
	r := m.Registers()
	var code [4]byte
	if _, err := m.ReadMemory(r.RIP, code[:]); err != nil {
		log.Fatal(err)
	}
	fmt.Println("long mode:", r.EFER>>10&1 == 1)
	fmt.Println("the image's first page:", m.State(r.RIP))
	fmt.Println("a page that nobody has used:", m.State(900<<20))
	// Output:
	// long mode: true
	// the image's first page: accepted
	// a page that nobody has used: absent
}
