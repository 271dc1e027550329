package inspect

import "strings"

// commandLine is one that the image gives to a kernel, or a part of one, and where it is said.
type commandLine struct {
	Where string `json:"where"`
	Text  string `json:"text"`
}

// maxCommandLine is the size in bytes of the longest command line that is read; Linux takes 2048.
const maxCommandLine = 64 << 10

// A wholeLine is the parts that a kernel gets as one command line, in their order: that of a unified kernel image, and
// what its add-ons append.
type wholeLine []commandLine

// A word of a command line is a parameter of the kernel.
type word struct {
	name, value string
	part        commandLine
}

// words are the parameters of the kernel in the line, as it takes it apart (Linux lib/cmdline.c, next_arg): quotes keep
// spaces, and hyphens in names are underscores. What comes after the word "--" is for init.
func (w wholeLine) words() (all []word) {
	var text strings.Builder
	var ends []int // of the parts
	for _, part := range w {
		text.WriteString(part.Text)
		text.WriteByte(' ')
		ends = append(ends, text.Len())
	}
	line, at := text.String(), 0
	for part := 0; ; {
		for at < len(line) && isSpace(line[at]) {
			at++
		}
		if at == len(line) {
			return all
		}
		for at >= ends[part] {
			part++
		}
		name, value, next := nextWord(line, at)
		if line[at:next] == "--" || line[at:next] == `"--"` {
			return all
		}
		all = append(all, word{strings.ReplaceAll(name, "-", "_"), value, w[part]})
		at = next
	}
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// nextWord takes the word that begins at an offset, and tells where it ends.
func nextWord(line string, at int) (name, value string, next int) {
	quoted := false
	for next = at; next < len(line) && (quoted || !isSpace(line[next])); next++ {
		if line[next] == '"' {
			quoted = !quoted
		}
	}
	text := line[at:next]
	if strings.HasPrefix(text, `"`) { // around the whole word
		text = strings.TrimSuffix(text[1:], `"`)
	}
	name, value, _ = strings.Cut(text, "=")
	if strings.HasPrefix(value, `"`) {
		value = strings.TrimSuffix(value[1:], `"`)
	}
	return name, value, next
}

// lazy tells what the line says about when to accept memory (Linux Documentation/admin-guide/kernel-parameters.txt,
// "accept_memory"), and which part; unknown if nothing. The last word counts.
func (w wholeLine) lazy() (says Verdict, by commandLine) {
	says = Unknown
	for _, word := range w.words() {
		if word.name != "accept_memory" {
			continue
		}
		switch word.value {
		case "lazy":
			says, by = Yes, word.part
		case "eager":
			says, by = No, word.part
		}
	}
	return says, by
}

// Trap is something in an image that loses memory, or may.
type Trap struct {
	Name  string `json:"name"`
	What  string `json:"what"`
	Where string `json:"where"`
	Sure  bool   `json:"sure"` // false for what a version number suggests, which a distribution may have fixed
}

// traps finds words that lose memory. With add_efi_memmap it matters not what it is set to (Linux
// arch/x86/platform/efi/efi.c, setup_add_efi_memmap).
func (w wholeLine) traps() (found []Trap) {
	for _, word := range w.words() {
		if word.name == "add_efi_memmap" {
			what := "the kernel takes all unaccepted memory for reserved, so that it is lost"
			found = append(found, Trap{word.name, what, word.part.Where, true})
		}
	}
	return found
}

// commandText is the command line in a section of a PE file, up to its end. systemd-stub turns line breaks and other
// control characters into spaces (systemd src/boot/util.c, mangle_stub_cmdline).
func commandText(b []byte) string {
	text, _, _ := strings.Cut(string(b), "\x00")
	text = strings.Map(func(c rune) rune {
		if c < ' ' {
			return ' '
		}
		return c
	}, text)
	return printable([]byte(strings.Trim(text, " ")))
}
