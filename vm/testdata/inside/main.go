// Command inside is the init of a Linux guest that uses tacit's commands: each line of /commands is one, whose output and
// exit status go to the console. "signal" before one has it told to end after two seconds. At the end it becomes /report,
// tacit's own init.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Println("inside:", err)
	}
	fmt.Println("inside: cannot become /report:", syscall.Exec("/report", []string{"/report"}, nil))
}

func run() error {
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"cgroup2", "/sys/fs/cgroup"}, {"tmpfs", "/tmp"}} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil && err != syscall.EBUSY {
			return fmt.Errorf("%s: %w", m.at, err)
		}
	}
	// What the kernel says in the meantime would stand between the words.
	if err := os.WriteFile("/proc/sys/kernel/printk", []byte("1"), 0); err != nil {
		return err
	}
	commands, err := os.ReadFile("/commands")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(commands)) {
		fmt.Printf("--- %s", line)
		words := strings.Fields(line)
		signal := words[0] == "signal"
		if signal {
			words = words[1:]
		}
		var err error
		switch words[0] {
		case "write": // write FILE WORDS
			err = os.WriteFile(words[1], []byte(strings.Join(words[2:], " ")), 0o644)
		case "read":
			var b []byte
			b, err = os.ReadFile(words[1])
			fmt.Printf("%s\n", b)
		case "mkdir":
			err = os.Mkdir(words[1], 0o755)
		default:
			cmd := exec.Command(words[0], words[1:]...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
			began := time.Now()
			if err = cmd.Start(); err != nil {
				break
			}
			if signal {
				time.Sleep(2 * time.Second)
				began = time.Now()
				_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended, and Wait says how
			}
			err = cmd.Wait()
			fmt.Printf("--- took %d ms\n", time.Since(began).Milliseconds())
		}
		if err == nil {
			fmt.Println("--- done")
		} else {
			fmt.Println("---", err)
		}
	}
	return nil
}
