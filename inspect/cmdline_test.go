package inspect

import "testing"

func TestTraps(t *testing.T) {
	for text, want := range map[string]int{
		"quiet add_efi_memmap": 1, "add_efi_memmap=0": 1, "xadd_efi_memmap": 0, "": 0, "add-efi-memmap": 1,
		"quiet -- add_efi_memmap": 0, "add_efi_memmap --": 1, "a --x add_efi_memmap": 1, `x="a -- b" add_efi_memmap`: 1,
		`x="a add_efi_memmap b"`: 0, `"add_efi_memmap"`: 1, `"--" add_efi_memmap`: 0, "x=-- add_efi_memmap": 1,
		"quiet\n--\nadd_efi_memmap": 0, "quiet\tadd_efi_memmap": 1, `x="a add_efi_memmap`: 0,
	} {
		if got := (wholeLine{{Text: text}}).traps(); len(got) != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for text, want := range map[string]Verdict{
		"accept_memory=eager": No, "accept_memory=lazy": Yes, "accept_memory=eager accept_memory=lazy": Yes,
		"accept_memory": Unknown, "x accept_memory=eagerly": Unknown, `accept_memory="eager"`: No,
		`"accept_memory=eager"`: No, "accept-memory=eager": No, "accept_memory=lazy -- accept_memory=eager": Yes,
	} {
		if got, _ := (wholeLine{{Text: text}}).lazy(); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// What is appended to a line is a part of it, with the quotes and the "--" of what comes before.
func TestWholeLine(t *testing.T) {
	for _, c := range []struct {
		first, second string
		lazy          Verdict
		by            string
	}{
		{"quiet", "accept_memory=eager", No, "2"}, {"accept_memory=eager", "accept_memory=lazy", Yes, "2"},
		{"accept_memory=eager", "quiet", No, "1"}, {"quiet --", "accept_memory=eager", Unknown, ""},
		{`x="`, "accept_memory=eager", Unknown, ""}, {"", "accept_memory=eager", No, "2"},
		{"x accept_memory=eager", "", No, "1"},
	} {
		says, by := wholeLine{{"1", c.first}, {"2", c.second}}.lazy()
		if says != c.lazy || by.Where != c.by {
			t.Errorf("%q, %q: %s by %q", c.first, c.second, says, by.Where)
		}
	}
}

func TestCommandText(t *testing.T) {
	const section = " root=x\r\nquiet\naccept_memory=eager\n\x00rubbish"
	if got, want := commandText([]byte(section)), "root=x  quiet accept_memory=eager"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
