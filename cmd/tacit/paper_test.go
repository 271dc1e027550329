package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		width      int
		want       string
	}{
		{"what fits stays", "a  b\n\nc\n", 40, "a  b\n\nc\n"},
		{"no terminal is so narrow", "one two three four five six seven eight nine ten\n", 20, "one two three four five six seven eight nine ten\n"},
		{"without a last line end", "x", 40, "x"},
		{"a sentence under its last column",
			"not accepted    12 MiB  at report (50.0 % of it); by its bitmap 12 MiB\n", 50,
			"not accepted    12 MiB  at report (50.0 % of it);\n                        by its bitmap 12 MiB\n"},
		{"a sentence of its own", "  On TDX it accepts memory itself and says so: do not\n", 40, "  On TDX it accepts memory itself and\n    says so: do not\n"},
		{"a paragraph is filled anew",
			"this is a paragraph whose lines are as long as they were written\nin the code, by hand, and so too long here\n", 40,
			"this is a paragraph whose lines are as\nlong as they were written in the code,\nby hand, and so too long here\n"},
		{"what cannot be broken", "see " + strings.Repeat("x", 50) + " there\n", 40, "see\n  " + strings.Repeat("x", 50) + "\n  there\n"},
		{"a table is continued",
			"image       platform  sees         accepted by firmware  outcome\n" +
				"6.1-cloud   tdx       1 MiB LOST   4,096 MiB             poweroff\n" +
				"6.12-cloud  snp       3,728 MiB    256 MiB               violation\n", 48,
			"image       platform  sees\n6.1-cloud   tdx       1 MiB LOST\n6.12-cloud  snp       3,728 MiB\n\n" +
				"image       accepted by firmware  outcome\n6.1-cloud   4,096 MiB             poweroff\n6.12-cloud  256 MiB               violation\n"},
		{"long names in a table",
			"KERNEL                                  TDX  SNP  LAZY\n" +
				"disk.qcow2: partition 1: /boot/vmlinuz  yes  no   yes\nb                                       no   yes  unknown\n", 40,
			"KERNEL                TDX  SNP  LAZY\n…on 1: /boot/vmlinuz  yes  no   yes\nb                     no   yes  unknown\n"},
	} {
		if got := fit(c.text, c.width); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// Whatever the text, no word is lost, and only what cannot be broken is wider than the terminal.
func FuzzFit(f *testing.F) {
	f.Add("a  b  c  d\ne  f  g  h\n", 40)
	f.Add("  x              a sentence that goes on and on and on and on and on, for ever\n\n", 50)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\t\v\f…") || width > 1000 {
			return
		}
		got := fit(text, width)
		for line := range strings.Lines(got) {
			longest := 0
			for _, word := range strings.Fields(line) {
				longest = max(longest, utf8.RuneCountInString(word))
			}
			if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > width && width >= narrowest && longest < 15 {
				t.Errorf("%d columns of %d: %q", n, width, line)
			}
		}
		all := strings.Join(strings.Fields(got), " ")
		for _, word := range strings.Fields(text) {
			if !strings.Contains(all, word) && !strings.Contains(got, "…") {
				t.Errorf("%q is lost in %q", word, got)
			}
		}
	})
}

func TestPaintWords(t *testing.T) {
	r, g, y, n := red, green, yellow, noColour
	for text, want := range map[string]string{
		"outcome             poweroff\n":               "outcome             " + g + "poweroff" + n + "\n",
		"outcome            violation":                 "outcome            " + r + "violation" + n,
		"x  yes  no  unknown  yes\n":                   "x  " + g + "yes" + n + "  " + r + "no" + n + "  " + y + "unknown" + n + "  " + g + "yes" + n + "\n",
		"x  153 MiB LOST  limit\n":                     "x  153 MiB " + r + "LOST" + n + "  " + y + "limit" + n + "\n",
		"6.1: tdx accepts=no loses-memory-under=lazy;": "6.1: tdx accepts=no " + r + "loses-memory-under=lazy;" + n,
		"there is no violation, yes\n":                 "there is no violation, yes\n",
	} {
		if got := paintWords(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// What is no terminal gets the text as it is.
func TestOnPaperElsewhere(t *testing.T) {
	var b bytes.Buffer
	text := "outcome  poweroff  " + strings.Repeat("long ", 100) + "\n"
	if err := onPaper(&b, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil || b.String() != text {
		t.Errorf("%v, %q", err, &b)
	}
}
