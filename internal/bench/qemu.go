package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A Guest is what QEMU and tacit boot alike: a bzImage that was taken out of its package before, and an initrd that switches
// the machine off.
type Guest struct {
	Kernel, Initrd string // paths
	CommandLine    string
	Memory         uint64 // bytes
}

// poweredOff is what Linux says last before it asks firmware to switch the machine off (kernel/reboot.c).
const poweredOff = "reboot: Power down"

// QEMU is how the guest is booted there, by its translator (TCG): never as a confidential guest, which QEMU cannot do
// without the hardware. Dir is for files that QEMU writes, and firmware is OVMF's code, with its variables beside it.
func QEMU(g Guest, dir, firmware string) []Contender {
	direct := []string{"-kernel", g.Kernel, "-initrd", g.Initrd, "-append", g.CommandLine}
	vars := filepath.Join(dir, "vars")
	with := append([]string{
		"-drive", "if=pflash,format=raw,readonly=on,file=" + firmware, "-drive", "if=pflash,format=raw,file=" + vars,
	}, direct...)
	fresh := func() error { // firmware keeps what it has booted
		b, err := os.ReadFile(filepath.Join(filepath.Dir(firmware), "OVMF_VARS_4M.fd"))
		if err != nil {
			return err
		}
		return os.WriteFile(vars, b, 0o600)
	}
	all := []Contender{
		{Name: "qemu-ovmf", About: "QEMU's translator, with OVMF, which starts the kernel's EFI stub", Run: qemu(g, dir, with, fresh)},
		{Name: "qemu-direct", About: "QEMU's translator, without firmware: it loads the kernel itself", Run: qemu(g, dir, direct, nil)},
		{Name: "qemu-icount", About: "the same with -icount, by which a run repeats", Run: qemu(g, dir, append([]string{"-icount", "shift=0,sleep=off"}, direct...), nil)},
	}
	if _, err := exec.LookPath(qemuProgram); err != nil {
		for i := range all {
			all[i].Missing = fmt.Errorf("%w (Debian has it in the package qemu-system-x86)", err)
		}
	} else if _, err := os.Stat(firmware); err != nil {
		all[0].Missing = fmt.Errorf("%w (Debian has it in the package ovmf; --ovmf names it elsewhere)", err)
	}
	return all
}

const qemuProgram = "qemu-system-x86_64"

// qemu returns the run of a QEMU with these arguments. Prepare, where it is not nil, comes before it.
func qemu(g Guest, dir string, args []string, prepare func() error) func(context.Context) (Usage, error) {
	console := filepath.Join(dir, "console")
	p := Process{
		Args: append([]string{
			qemuProgram, "-machine", "q35,accel=tcg", "-cpu", "qemu64", "-m", fmt.Sprintf("%dM", g.Memory>>20), "-nodefaults", "-display", "none",
			"-no-reboot", "-net", "none", "-serial", "file:" + console, "-serial", "null",
		}, args...),
		Check: func([]byte) error {
			b, err := os.ReadFile(console)
			if err == nil && !bytes.Contains(b, []byte(poweredOff)) {
				err = errors.New("the guest did not switch itself off; its console ends with " + string(b[max(0, len(b)-keepOutput):]))
			}
			return err
		},
	}
	return func(ctx context.Context) (Usage, error) {
		if prepare != nil {
			if err := prepare(); err != nil {
				return Usage{}, err
			}
		}
		return p.Run(ctx)
	}
}
