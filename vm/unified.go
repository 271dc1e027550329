package vm

import (
	"bytes"
	"strings"

	"github.com/tacit-vm/tacit/image"
)

// A unified kernel image is a loader with a kernel in a section of its own, and mostly what goes with that: a command
// line, an initrd (systemd-stub(7)).

// maxCommandLine is what is read of the section .cmdline; Linux for x86 takes 2 KiB (COMMAND_LINE_SIZE).
const maxCommandLine = 64 << 10

// unifiedKernel says whether an EFI application has a kernel in it, and with which command line it starts that where it
// is given none.
func unifiedKernel(img *image.Image) (commandLine string, ok bool) {
	if img.Kind != image.EFIApplication {
		return "", false
	}
	file := bytes.NewReader(img.Data)
	pe, err := image.ReadPE(file, file.Size())
	if err != nil {
		return "", false
	}
	if _, ok := pe.Section(".linux"); !ok {
		return "", false
	}
	s, ok := pe.Section(".cmdline")
	if !ok {
		return "", true
	}
	text, err := image.ReadSection(file, s, maxCommandLine)
	if err != nil {
		return "", true
	}
	// As the loader does it: what is no text is a blank, and blanks at the end are none.
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, string(bytes.TrimRight(text, "\x00")))), true
}
