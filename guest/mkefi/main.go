// Command mkefi makes an EFI application of a Go program that needs no operating system; package guest/efi says how such a
// program is built.
//
//	mkefi EXECUTABLE APPLICATION
package main

import (
	"fmt"
	"os"

	"github.com/tacit-vm/tacit/guest/efi"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mkefi EXECUTABLE APPLICATION")
		os.Exit(2)
	}
	if err := link(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "mkefi:", err)
		os.Exit(1)
	}
}

func link(executable, application string) error {
	built, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	linked, err := efi.Link(built)
	if err != nil {
		return fmt.Errorf("%s: %w", executable, err)
	}
	return os.WriteFile(application, linked, 0o644)
}
