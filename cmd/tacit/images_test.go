package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// An image that is somewhere else is told how it gets here, to every command.
func TestImagesElsewhere(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		"https://cloud.debian.org/images/disk.qcow2": "curl -fLO https://cloud.debian.org/images/disk.qcow2",
		"file:///boot/vmlinuz":                       "curl -fLO",
		"debian:13":                                  "docker save debian:13 ",
		"docker://debian":                            "docker save debian writes",
		"quay.io/fedora/fedora-bootc":                "docker save quay.io/fedora/fedora-bootc",
		"ghcr.io:443/a/b:latest":                     "container",
		"debian@sha256:0123456789abcdef":             "container",
		"oci:layout":                                 "container",
		"bzImage":                                    " bzImage: no such file or directory",
		"kernels/k.deb":                              " kernels/k.deb: no such file or directory",
		filepath.Join(dir, "a:b"):                    "a:b: no such file or directory",
	} {
		for _, command := range [][]string{{"boot", "-q"}, {"inspect"}, {"symbols", "-o", filepath.Join(dir, "out")}, {"bench", "--runs", "1", "boot-tdx", "--kernel"}} {
			status, stdout, stderr := really(t, append(command, path)...)
			if status != statusError || stdout != "" || !strings.Contains(stderr, want) || !strings.HasPrefix(lastLine(stderr), "tacit: ") || strings.Contains(stderr, "docker://") != strings.HasPrefix(path, "docker://") {
				t.Errorf("%q %s: status %d, %q, %q", command, path, status, stdout, stderr)
			}
		}
	}
	// To certify it is an image that could not be judged.
	if status, stdout, _ := really(t, "certify", "debian:13"); status != int(statusUnknown) || !strings.Contains(stdout, "docker save debian:13 ") {
		t.Errorf("certify: status %d, %q", status, stdout)
	}
	write(t, filepath.Join(dir, "debian:13"), "a file of that name")
	if _, _, stderr := really(t, "inspect", filepath.Join(dir, "debian:13")); strings.Contains(stderr, "container") {
		t.Error(stderr)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// really runs the command with the machine of package vm.
func really(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	status = execute(t.Context(), args, &out, &err, boot)
	return status, out.String(), err.String()
}
