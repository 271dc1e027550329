package inspect

import "strings"

// commandLine is one that the image gives to a kernel, and where it is said.
type commandLine struct {
	Where string `json:"where"`
	Text  string `json:"text"`
}

// lazy tells what a command line says about when to accept memory (Linux
// Documentation/admin-guide/kernel-parameters.txt, "accept_memory"); unknown if nothing. The last word counts.
func (c commandLine) lazy() Verdict {
	says := Unknown
	for word := range strings.FieldsSeq(c.Text) {
		switch word {
		case "accept_memory=lazy":
			says = Yes
		case "accept_memory=eager":
			says = No
		}
	}
	return says
}

// Trap is something in an image that loses memory, or may.
type Trap struct {
	Name  string `json:"name"`
	What  string `json:"what"`
	Where string `json:"where"`
	Sure  bool   `json:"sure"` // false for what a version number suggests, which a distribution may have fixed
}

// traps finds words that lose memory.
func (c commandLine) traps() (found []Trap) {
	for word := range strings.FieldsSeq(c.Text) {
		if word == "add_efi_memmap" { // Linux arch/x86/platform/efi/efi.c, do_add_efi_memmap
			what := "the kernel takes all unaccepted memory for reserved, so that it is lost"
			found = append(found, Trap{word, what, c.Where, true})
		}
	}
	return found
}
