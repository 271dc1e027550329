package record

import (
	"strings"
	"testing"
)

// What a name or a word of a guest's can do to a terminal, and what becomes of it.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"6.12.107+deb13-cloud-amd64":   "6.12.107+deb13-cloud-amd64",
		"boot/vmlinuz-ü 本 €":           "boot/vmlinuz-ü 本 €",
		"\x1b]0;title\x07\x1b[2J":      `\x1b]0;title\x07\x1b[2J`,
		"a\noutcome poweroff\r\tb":     `a\x0aoutcome poweroff\x0d\x09b`,
		"\u009b31m":                    `\u009b31m`,
		"\x9b31m":                      `\x9b31m`,
		"exe\u202egpj":                 `exe\u202egpj`,
		"\x7f\x00":                     `\x7f\x00`,
		"\ufeff\U000e0041\u00a0\u2028": `\ufeff\U000e0041\u00a0\u2028`,
		"\ufffd":                       "\ufffd",
		"":                             "",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No word of a guest's or a file's gets into the summary as it is.
func TestSummaryOfHostileNames(t *testing.T) {
	const hostile = "\x1b[2J\nevil\u009b\u202e"
	r := aRecord()
	a := Address(1)
	r.Outcome = Violation
	r.Platform, r.Image.Kernel, r.CostModel = hostile, hostile, hostile
	r.Acceptance.By.Stub.Name = hostile + strings.Repeat("x", 100)
	r.Negotiation = Negotiation{Offered: true, AllowedBy: []string{hostile, hostile}}
	r.Attack = &Attack{Kind: hostile, Steps: []AttackStep{{What: hostile, Refused: hostile}}}
	r.Lie = &Lie{Kind: hostile, Told: 1}
	r.Calls = map[string]Callees{hostile: {hostile: {hostile: 1}}}
	r.Diagnosis = &Diagnosis{hostile, &a, &a, hostile, &a, hostile, &Instruction{hostile, hostile}, hostile}
	var details strings.Builder
	if err := r.WriteDetails(&details); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{summary(t, r), details.String()} {
		if !strings.Contains(text, `\x1b[2J\x0aevil\u009b\u202e`) {
			t.Errorf("the names are not there:\n%q", text)
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); Printable(line) != line || strings.HasPrefix(line, "evil") || len(line) > 1000 {
				t.Errorf("raw: %q", line)
			}
		}
	}
}

// The kernel's meminfo counts less where its command line keeps memory from it, and the summary says so.
func TestSummaryOfAGuestToldToUseLess(t *testing.T) {
	const note = "by its meminfo 763 MiB of what its command line leaves it"
	for words, want := range map[string]bool{"": false, "console=ttyS0 mem=512M": true, "memmap=1G$2G quiet": true, "mem_encrypt=on": false} {
		r := aRecord()
		r.Guest.CommandLine = words
		if got := strings.Contains(summary(t, r), note); got != want {
			t.Errorf("%q: %v", words, got)
		}
	}
}
