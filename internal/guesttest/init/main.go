//go:build linux

// Command init is a guest's first process for tests: it loads the modules that its initrd has, shows what the kernel has
// traced, and switches the machine off. Whatever goes wrong is printed, and is an end without a power-off.
//
// /modules/* are loaded in the order of their names; NAME.parameters beside NAME are a module's parameters. Where there is
// a directory /trace, the kernel's trace is copied to the console; where there is a file /trydisk, a disk is read and written;
// where there is a file /keepfile, a file is made in the disk's ext4 file system; where there is a file /restart, the machine is
// restarted instead where neither had been done to the disk before.
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	for _, step := range []func() error{loadModules, tryDisk, keepFile, showTrace} {
		if err := step(); err != nil {
			fmt.Println("init:", err)
			os.Exit(1)
		}
	}
	how := unix.LINUX_REBOOT_CMD_POWER_OFF
	if _, err := os.Stat("/restart"); err == nil && !written {
		how = unix.LINUX_REBOOT_CMD_RESTART
	}
	err := unix.Reboot(how)
	fmt.Println("init: power-off or restart:", err)
}

func loadModules() error {
	const directory, parameters = "/modules/", ".parameters"
	entries, err := os.ReadDir(directory)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), parameters) {
			continue
		}
		with, err := os.ReadFile(directory + e.Name() + parameters)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		file, err := os.Open(directory + e.Name())
		if err != nil {
			return err
		}
		if err := unix.FinitModule(int(file.Fd()), string(with), unix.MODULE_INIT_COMPRESSED_FILE); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		_ = file.Close()
		fmt.Println("init: loaded", e.Name())
	}
	return nil
}

// showTrace stops tracing before it copies what there is.
func showTrace() error {
	if _, err := os.Stat("/trace"); err != nil {
		return nil
	}
	if err := unix.Mount("tracefs", "/trace", "tracefs", 0, ""); err != nil {
		return fmt.Errorf("tracefs: %w", err)
	}
	if err := os.WriteFile("/trace/tracing_on", []byte("0"), 0); err != nil {
		return err
	}
	text, err := os.ReadFile("/trace/trace")
	if err != nil {
		return err
	}
	fmt.Printf("init: trace\n%s\ninit: end of trace\n", text)
	return nil
}
