package uefi_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// The EFI system partition's type, whose bytes any GPT disk shows.
const (
	espText  = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	espBytes = "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b"
)

func TestGUIDIsMixedEndian(t *testing.T) {
	for _, text := range []string{espText, strings.ToUpper(espText)} {
		g, err := uefi.ParseGUID(text)
		if err != nil || string(g[:]) != espBytes {
			t.Errorf("ParseGUID(%s) = % x, %v; on disk it is % x", text, g[:], err, espBytes)
		}
	}
	if got := uefi.GUID([]byte(espBytes)).String(); got != espText {
		t.Errorf("String() = %s, want %s", got, espText)
	}
	// Linux calls the protocol by two immediates of eight bytes; these are what Debian's 6.12 kernels hold.
	g := uefi.MemoryAcceptanceProtocolGUID
	if low, want := string(g[:8]), "\xfe\x10\xa0\xc5\xa7\x38\x31\x45"; low != want {
		t.Errorf("memory acceptance protocol: first half % x, want % x", low, want)
	}
	if high, want := string(g[8:]), "\x8a\x4a\x05\x00\xd2\xfd\x16\x49"; high != want {
		t.Errorf("memory acceptance protocol: second half % x, want % x", high, want)
	}
}

// The bytes in guids.go are those of the text beside them, and the compiler has nothing to do for them at start-up.
func TestGUIDsAreTheirText(t *testing.T) {
	source, err := os.ReadFile("guids.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^\s*\w+GUID\s+= (.*)$`).FindAllSubmatch(source, -1)
	if len(lines) < 20 {
		t.Fatalf("%d GUIDs in guids.go", len(lines))
	}
	for _, line := range lines {
		m := regexp.MustCompile(`^GUID{([0-9a-fx, ]*)} // ([0-9a-f-]{36})(; .*)?$`).FindSubmatch(line[1])
		if m == nil {
			t.Errorf("not a GUID in bytes with its text beside it: %s", line[0])
			continue
		}
		var g uefi.GUID
		if n, err := fmt.Sscanf(string(m[1]), strings.Repeat("0x%x, ", 15)+"0x%x", &g[0], &g[1], &g[2], &g[3], &g[4], &g[5], &g[6], &g[7],
			&g[8], &g[9], &g[10], &g[11], &g[12], &g[13], &g[14], &g[15]); err != nil {
			t.Errorf("%s: %d bytes: %v", line[0], n, err)
		}
		if g.String() != string(m[2]) {
			t.Errorf("%s: the bytes are %v", line[0], g)
		}
	}
}

func TestParseGUIDRefuses(t *testing.T) {
	for _, text := range []string{
		"", "c12a7328", espText + "0", "{" + espText[:34] + "}",
		strings.ReplaceAll(espText, "-", "0"), strings.Replace(espText, "f81f-", "f81-f", 1),
		strings.Replace(espText, "c1", "g1", 1), strings.Replace(espText, "c1", "c:", 1),
		strings.Replace(espText, "c1", "é", 1),
	} {
		if g, err := uefi.ParseGUID(text); err == nil {
			t.Errorf("ParseGUID(%q) = %v, want an error", text, g)
		}
	}
}

func FuzzParseGUID(f *testing.F) {
	f.Add(espText)
	f.Add("00000000-0000-0000-0000-00000000000")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := uefi.ParseGUID(text)
		if err == nil && g.String() != strings.ToLower(text) {
			t.Errorf("%q became %v", text, g)
		}
		if again, err := uefi.ParseGUID(g.String()); err != nil || again != g {
			t.Errorf("%v became %v, %v", g, again, err)
		}
	})
}
