package inspect

import (
	"strings"
	"testing"
)

func TestReleases(t *testing.T) {
	for text, want := range map[string]release{
		"6.12.9-cloud-amd64": {6, 12, 9}, "6.12": {6, 12, 0}, "7.3~rc7": {7, 3, 0}, "6.1.0-56": {6, 1, 0},
		"5.14.0-427.el9.x86_64": {5, 14, 0}, "6.8.0-31-generic": {6, 8, 0},
	} {
		if got, ok := parseRelease(text); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "6", "..", "99999999999999999999.1", "-6.1"} {
		if got, ok := parseRelease(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestDefects(t *testing.T) {
	for release, want := range map[release]string{
		{6, 1, 0}:   "",
		{6, 5, 0}:   "parallel-accept-lockup endless-reclaim accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 5, 9}:   "endless-reclaim accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 10, 7}:  "accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 12, 20}: "accept-before-watermarks accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 12, 30}: "table-not-reserved",
		{6, 12, 75}: "", {7, 0, 0}: "", {7, 3, 4}: "",
	} {
		var got []string
		for _, d := range defects {
			if has, _ := d.has(release); has {
				got = append(got, d.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %q, want %q", release, got, want)
		}
	}
}
