package inspect

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
)

// kconfig is a kernel's configuration.
type kconfig struct {
	options map[string]string // without CONFIG_; what is off is missing
	release string            // of the kernel that it says to be for
}

// parseConfig reads a configuration file (Linux Documentation/kbuild/kconfig.rst). ok is false if it is none.
func parseConfig(text []byte) (c kconfig, ok bool) {
	c.options = map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if after, found := strings.CutPrefix(line, "# Linux/"); found { // "# Linux/x86 6.12.9 Kernel Configuration"
			if words := strings.Fields(after); len(words) >= 2 {
				c.release = words[1]
			}
		}
		if name, value, found := strings.Cut(line, "="); found && strings.HasPrefix(name, "CONFIG_") {
			c.options[strings.TrimPrefix(name, "CONFIG_")] = strings.Trim(value, `"`)
		}
	}
	return c, lines.Err() == nil && len(c.options) > 0
}

// readConfig answers from a configuration.
func readConfig(c kconfig, strength Strength, where string) map[question][]Evidence {
	found := map[question][]Evidence{}
	for q, names := range map[question][]string{
		guestTDX:   {"INTEL_TDX_GUEST"},
		acceptsTDX: {"INTEL_TDX_GUEST", "UNACCEPTED_MEMORY"},
		guestSNP:   {"AMD_MEM_ENCRYPT"},
		acceptsSNP: {"AMD_MEM_ENCRYPT", "UNACCEPTED_MEMORY"},
		negotiates: {"UNACCEPTED_MEMORY"}, // the stub asks wherever it is on
	} {
		says, what := Yes, []string{}
		for _, name := range names {
			value, on := c.options[name]
			if !on || value != "y" {
				says, value = No, "n"
			}
			what = append(what, fmt.Sprintf("CONFIG_%s=%s", name, value))
		}
		found[q] = []Evidence{evidence(strength, says, where+": "+strings.Join(what, ", "))}
	}
	return found
}

// embeddedConfig finds the configuration in an unpacked kernel, between two marks (Linux kernel/configs.c).
func embeddedConfig(vmlinux []byte) (c kconfig, ok bool) {
	_, rest, found := bytes.Cut(vmlinux, []byte("IKCFG_ST"))
	packed, _, ends := bytes.Cut(rest, []byte("IKCFG_ED"))
	if !found || !ends {
		return kconfig{}, false
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return kconfig{}, false
	}
	text, err := io.ReadAll(io.LimitReader(z, maxText))
	if err != nil {
		return kconfig{}, false
	}
	return parseConfig(text)
}
