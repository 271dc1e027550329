//go:build linux

package main

import "testing"

// A word is whole, or it is another one.
func TestWord(t *testing.T) {
	for cmdline, want := range map[string]bool{
		"tacit.crash": true, "tacit.crash\n": true, "console=ttyS0 tacit.crash quiet\n": true, "quiet tacit.crash\n": true,
		"tacit.crashing\n": false, "tacit.crash=0\n": false, "xtacit.crash\n": false, "tacit.cras\n": false, "": false, "\n": false,
	} {
		if got := word([]byte(cmdline), "tacit.crash"); got != want {
			t.Errorf("%q: %v", cmdline, got)
		}
	}
}

// Marked pages are known by all of their words, each once, and zeros by all of theirs.
func TestContents(t *testing.T) {
	var c contents
	pages := make([][pageWords]uint64, 4)
	for j := range uint64(pageWords) {
		pages[1][j], pages[2][j], pages[3][j] = markAt(0, j), markAt(marked-1, j), markAt(5, j)
	}
	pages[3][pageWords-1]++ // damaged
	for range 2 {
		for i := range pages {
			c.look(&pages[i])
		}
	}
	if c.marks() != 2 || !c.found[0] || !c.found[marked-1] || c.zeros != 2 {
		t.Errorf("%d marked, %d of zeros", c.marks(), c.zeros)
	}
	pages[0][pageWords-1] = 1
	if c.look(&pages[0]); c.zeros != 2 {
		t.Error("a page with a one at its end is taken for zeros")
	}
}

func TestDecimal(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 9: "9", 10: "10", 1<<64 - 1: "18446744073709551615"} {
		if got := decimal(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
