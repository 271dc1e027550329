package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// An image that is somewhere else is told how it gets here, to every command.
func TestImagesElsewhere(t *testing.T) {
	dir := t.TempDir()
	const all, fetches, reads = "both", "of boot and inspect", "of others"
	for _, c := range []struct{ path, by, want string }{
		{"https://cloud.debian.org/images/disk.qcow2", fetches, "give the digest that its publisher says it has: https://cloud.debian.org/images/disk.qcow2#sha256="},
		{"https://cloud.debian.org/images/disk.qcow2", reads, "curl -fLO https://cloud.debian.org/images/disk.qcow2"},
		{"http://cloud.debian.org/disk.qcow2", fetches, "is there https?"},
		{"file:///boot/vmlinuz", all, "curl -fLO"},
		{"debian:13", all, "a container image is docker://debian:13 "},
		{"docker://debian", reads, "docker://NAME"},
		{"docker-daemon:debian:13", all, "docker save"},
		{"quay.io/fedora/fedora-bootc", all, "docker://quay.io/fedora/fedora-bootc"},
		{"ghcr.io:443/a/b:latest", all, "container"},
		{"debian@sha256:0123456789abcdef", all, "container"},
		{"oci:layout", reads, "oci:DIRECTORY"},
		{"oci:layout", fetches, "oci:layout: open layout: no such file"},
		{"bzImage", all, " bzImage: no such file or directory"},
		{"kernels/k.deb", all, " kernels/k.deb: no such file or directory"},
		{filepath.Join(dir, "a:b"), all, "a:b: no such file or directory"},
	} {
		cache := []string{"--cache", filepath.Join(dir, "cache")}
		for _, command := range [][]string{append([]string{"boot", "-q"}, cache...), append([]string{"inspect"}, cache...), {"symbols", "-o", filepath.Join(dir, "out")}, {"bench", "--runs", "1", "boot-tdx", "--kernel"}} {
			by := reads
			if command[0] == "boot" || command[0] == "inspect" {
				by = fetches
			}
			if c.by != all && c.by != by {
				continue
			}
			status, stdout, stderr := really(t, append(command, c.path)...)
			if status != statusError || stdout != "" || !strings.Contains(stderr, c.want) || !strings.HasPrefix(lastLine(stderr), "tacit: ") {
				t.Errorf("%q %s: status %d, %q, %q", command, c.path, status, stdout, stderr)
			}
		}
	}
	// To certify it is an image that could not be judged.
	if status, stdout, _ := really(t, "certify", "debian:13"); status != int(statusUnknown) || !strings.Contains(stdout, "docker://debian:13 ") {
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
