package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// busyInstructions is about how many instructions each processor of a busy machine executes: some seconds of virtual time
// would hide what starting and ending programs takes no better.
const busyInstructions = 1_000_000_000

// Busy returns a workload of a machine whose processors, cpus of them, all compute: under a kernel, which the image of
// configure is, as many programs run the loop "integer" at the same time, and power the machine off when all have ended. The
// kernel's boot until the first program is not measured.
func Busy(name string, cpus int, configure func(ctx context.Context) (vm.Config, error)) Workload {
	w := Workload{Name: name, About: fmt.Sprintf("programs that compute, one on each of %d processors; the kernel's boot is not measured", cpus), Unit: MIPS}
	var booted *vm.Machine
	var before uint64
	w.Prepare = func(ctx context.Context) error {
		cfg, err := configure(ctx)
		if err != nil {
			return err
		}
		cfg.CPUs = cpus
		if cfg.Initrd, err = busyInitrd(cpus); err != nil {
			return err
		}
		m, err := vm.New(cfg)
		if err != nil {
			return err
		}
		came, err := m.Run(ctx, vm.AtInit())
		var r *record.Record
		if err == nil {
			r, err = m.Record()
		}
		switch {
		case err != nil:
		case !came:
			err = fmt.Errorf("the boot ended with %s before its first program", r.Outcome)
		default:
			booted, before = m, r.Instructions
			return nil
		}
		m.Close()
		return err
	}
	w.Run = func(ctx context.Context) (uint64, error) {
		m, err := booted.Fork(vm.Config{})
		if err != nil {
			return 0, err
		}
		defer m.Close()
		if _, err := m.Run(ctx, vm.Event{}); err != nil {
			return 0, err
		}
		r, err := m.Record()
		if err == nil {
			err = endsWell(r)
		}
		if err != nil {
			return 0, err
		}
		return r.Instructions - before, nil
	}
	w.Close = func() {
		if booted != nil {
			booted.Close()
			booted = nil
		}
	}
	return w
}

// busyInitrd has an init that starts so many programs.
func busyInitrd(programs int) ([]byte, error) {
	for _, l := range Loops() {
		if l.Name != "integer" {
			continue
		}
		init, err := l.program(busyInstructions/l.turn, forks(uint32(programs)))
		if err != nil {
			return nil, err
		}
		return image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: init})
	}
	return nil, errors.New("BUG: no loop integer")
}

// forks is the beginning of a program that goes on in so many children: Linux's fork, wait4 until there is no child any
// more, and reboot (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/linux/reboot.h).
func forks(children uint32) []byte {
	return append(binary.LittleEndian.AppendUint32(asm("41 BC"), children), asm( // mov r12d, children
		"B8 39 00 00 00",       // 1: mov eax, 57: fork
		"0F 05",                // syscall
		"85 C0",                // test eax, eax
		"74 39",                // jz 3f
		"41 FF CC",             // dec r12d
		"75 F0",                // jnz 1b
		"B8 3D 00 00 00",       // 2: mov eax, 61: wait4
		"48 C7 C7 FF FF FF FF", // mov rdi, -1: any child
		"31 F6",                // xor esi, esi
		"31 D2",                // xor edx, edx
		"45 31 D2",             // xor r10d, r10d
		"0F 05",                // syscall
		"48 85 C0",             // test rax, rax
		"79 E6",                // jns 2b
		"B8 A9 00 00 00",       // mov eax, 169: reboot
		"BF AD DE E1 FE",       // mov edi, LINUX_REBOOT_MAGIC1
		"BE 69 19 12 28",       // mov esi, LINUX_REBOOT_MAGIC2
		"BA DC FE 21 43",       // mov edx, LINUX_REBOOT_CMD_POWER_OFF
		"45 31 D2",             // xor r10d, r10d
		"0F 05",                // syscall
		"F4",                   // hlt, which it does not come to
	)...) // 3:
}
