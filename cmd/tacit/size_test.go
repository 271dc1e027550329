package main

import (
	"math"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]size{
		"0": 0, "1": 1, "4096": 4096, "4096B": 4096, "4K": 4096, "4k": 4096, "4KiB": 4096, "512M": 512 << 20, "512mib": 512 << 20,
		"4G": 4 << 30, "4GiB": 4 << 30, "4GB": 4 << 30, "4gb": 4 << 30, "1.5G": 3 << 29, "0.5K": 512, "2.0T": 2 << 40, "1T": 1 << 40, "16777215T": 16777215 << 40, "18446744073709551615": math.MaxUint64,
	} {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
		if back, err := parseSize(got.String()); err != nil || back != got {
			t.Errorf("%d is written as %s, which is %d, %v", got, got, back, err)
		}
	}
	for _, text := range []string{
		"", "G", "-1G", "+1G", "1.G", ".5G", "1.5.5G", "1.1G", "1.5", "1.5B", "1 G", " 1G", "4X", "4GG", "4GiBB", "0x10", "1_000", "G4", "4iB",
		"16777216T", "18446744073709551616", "99999999999999999999999G", "1e3",
	} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d", text, got)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("4G")
	f.Add("4GiB")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseSize(text)
		if err != nil {
			return
		}
		if back, err := parseSize(v.String()); err != nil || back != v {
			t.Errorf("%q is %d, written as %s, which is %d, %v", text, v, v, back, err)
		}
	})
}
