package source

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What people write for an image; what cannot be meant has an error that says what to write.
func TestParse(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for text, want := range map[string]string{ // the name that it gets, or an error
		"bzImage":            "a file",
		"images/disk.qcow2":  "a file",
		"C:/images/disk.vhd": "a file",
		"debian:13":          "a file",
		"-":                  "a file",
		"https://host/a/disk.qcow2#sha256=" + sum:             "disk.qcow2",
		"https://host/a%2Fdisk.qcow2?x=y#sha512=" + sum + sum: "disk.qcow2",
		"https://host/lock#sha256=" + strings.ToUpper(sum):    "lock",
		"https://host/disk.qcow2":                             "give the digest",
		"https://host/disk.qcow2#md5=" + sum:                  "is no digest",
		"https://host/disk.qcow2#sha256=abc":                  "is no digest",
		"https://host/#sha256=" + sum:                         "names no file",
		"https:///x#sha256=" + sum:                            "names no file",
		"http://host/disk.qcow2#sha256=" + sum:                "plain HTTP",
		"docker://quay.io/fedora/fedora-bootc:42":             "fedora-bootc",
		"docker://debian":                                     "debian",
		"docker://localhost:5000/x@sha256:" + sum:             "x",
		"docker://UPPER":                                      "could not parse",
		"oci:images/layout":                                   "layout",
		"oci:layout:latest":                                   "layout",
		"oci:":                                                "no directory",
	} {
		r, err := Parse(text)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case r.Local():
			got = "a file"
		default:
			got = r.Base()
		}
		if !strings.Contains(got, want) || err == nil && got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Patterns, directories and lists become the images in them.
func TestExpand(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"images/b.qcow2": "QFI\xfb", "images/a.efi": "MZ\x90\x00", "images/deep/c.raw": "\x00", "images/SHA256SUMS": "abc  b.qcow2\n", "images/.hidden": "\x00",
		"images/empty": "", "images/oci/oci-layout": "{}", "images/oci/index.json": "{}", "odd[1].efi": "MZ\x00",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var passed []string
	e := Expansion{Directories: true, Passed: func(path string) { passed = append(passed, path) }, List: strings.NewReader("# all of them\n\nimages/*.efi\r\ndocker://x\n")}
	for _, c := range []struct{ args, want string }{
		{"images", "images/a.efi images/b.qcow2 images/deep/c.raw oci:images/oci"},
		{"images/[ab].*", "images/a.efi images/b.qcow2"},
		{"odd[1].efi", "odd[1].efi"},
		{"none*.efi", "none*.efi"},
		{"images/oci", "oci:images/oci"},
		{"x - y -", "x images/a.efi docker://x y"},
	} {
		got, err := e.Expand(strings.Fields(c.args))
		if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, %v; want %q", c.args, got, err, c.want)
		}
	}
	if !slices.Equal(passed, []string{"images/SHA256SUMS", "images/empty"}) {
		t.Errorf("passed over: %q", passed)
	}
	long := Expansion{List: strings.NewReader(strings.Repeat("x\n", maxExpanded+1))}
	if _, err := long.Expand([]string{"-"}); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}

// Addresses of servers for everybody, and others.
func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700::1": true, "::ffff:1.1.1.1": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "169.254.169.254": false, "fe80::1": false,
		"fd00::1": false, "0.0.0.0": false, "::": false, "100.100.100.200": false, "::ffff:127.0.0.1": false, "224.0.0.1": false,
	} {
		if err := public(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}
