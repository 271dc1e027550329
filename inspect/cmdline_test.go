package inspect

import "testing"

func TestTraps(t *testing.T) {
	for text, want := range map[string]int{"quiet add_efi_memmap": 1, "add_efi_memmap=0": 0, "xadd_efi_memmap": 0, "": 0} {
		if got := (commandLine{Text: text}).traps(); len(got) != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for text, want := range map[string]Verdict{
		"accept_memory=eager": No, "accept_memory=lazy": Yes, "accept_memory=eager accept_memory=lazy": Yes,
		"accept_memory": Unknown, "x accept_memory=eagerly": Unknown,
	} {
		if got := (commandLine{Text: text}).lazy(); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}
