package inspect

import (
	"bufio"
	"bytes"
	"maps"
	"strings"
)

// menuEntry is a way to start a kernel that a configuration offers.
type menuEntry struct {
	title   string
	command string // linux, linuxefi, linux16, chainloader; of a boot loader specification entry "linux", "efi" or "uki"
	kernel  string // path as the configuration has it
	options string // the command line
	line    int    // of the file
}

// grubConfig is what a grub.cfg offers.
type grubConfig struct {
	entries  []menuEntry
	bls      bool // it offers boot loader specification entries too
	variable map[string]string
}

// parseGrub reads a grub.cfg. It is a script that cannot be run here: what is read is every command that loads a
// kernel, whatever conditions it stands under, and every variable that is set to plain text. variable has those of
// grubenv.
func parseGrub(text []byte, variable map[string]string) grubConfig {
	c := grubConfig{variable: maps.Clone(variable)}
	if c.variable == nil {
		c.variable = map[string]string{}
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxText)
	title := ""
	for n := 1; lines.Scan(); n++ {
		words := grubWords(lines.Text())
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "menuentry", "submenu":
			if len(words) > 1 {
				title = words[1]
			}
		case "set":
			if name, value, ok := strings.Cut(strings.Join(words[1:], " "), "="); ok {
				c.variable[name] = c.expand(value)
			}
		case "blscfg":
			c.bls = true
		case "linux", "linuxefi", "linux16", "chainloader":
			for len(words) > 1 && strings.HasPrefix(words[1], "--") {
				words = append(words[:1], words[2:]...)
			}
			if len(words) > 1 {
				c.entries = append(c.entries, menuEntry{
					title, words[0], c.expand(words[1]), c.expand(strings.Join(words[2:], " ")), n,
				})
			}
		}
	}
	return c
}

// expand replaces variables that are known; what is not known stays, and so does what would be longer than any command
// line.
func (c grubConfig) expand(text string) string {
	const longest = 4096 // bytes; Linux takes half of that
	for name, value := range c.variable {
		if strings.Contains(value, "$") || len(value) > longest || len(text) > longest {
			continue
		}
		text = strings.ReplaceAll(text, "${"+name+"}", value)
		if text == "$"+name {
			text = value
		}
	}
	return text
}

// grubWords splits a line of a script into words (GRUB manual, "Quoting"). A comment or a brace ends it.
func grubWords(line string) (words []string) {
	var word strings.Builder
	in, quote := false, byte(0)
	end := func() {
		if in {
			words = append(words, word.String())
		}
		word.Reset()
		in = false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\':
			word.WriteByte(c)
		case c == quote && quote != 0:
			quote = 0
		case c == '\'' || c == '"':
			in, quote = true, c
		case c == '\\' && i+1 < len(line):
			i++
			in = true
			word.WriteByte(line[i])
		case c == ' ' || c == '\t' || c == '\r':
			end()
		case c == '#' && !in:
			return words
		case c == ';':
			end()
			return words
		default:
			in = true
			word.WriteByte(c)
		}
	}
	end()
	return words
}

// parseBLS reads an entry of the boot loader specification, type 1 (UAPI Group, "Boot Loader Specification").
func parseBLS(text []byte) (menuEntry, bool) {
	var e menuEntry
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxText)
	for n := 1; lines.Scan(); n++ {
		key, value, ok := strings.Cut(strings.TrimSpace(strings.ReplaceAll(lines.Text(), "\t", " ")), " ")
		value = strings.TrimSpace(value)
		if !ok || value == "" {
			continue
		}
		switch key {
		case "title":
			e.title = value
		case "linux", "efi", "uki":
			e.command, e.kernel, e.line = key, value, n
		case "options":
			e.options = strings.TrimSpace(e.options + " " + value)
		}
	}
	return e, e.kernel != ""
}

// parseGrubEnv reads a grubenv, lines of name=value.
func parseGrubEnv(text []byte) map[string]string {
	variable := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "="); ok && !strings.HasPrefix(name, "#") {
			variable[name] = value
		}
	}
	return variable
}
