package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewestKernel(t *testing.T) {
	module := t.TempDir()
	write := func(name string) {
		t.Helper()
		path := filepath.Join(module, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	deep := filepath.Join(module, "docs", "deep")
	write("go.mod")
	write("docs/deep/x")
	if _, err := newestKernel(deep); !errors.Is(err, errNoKernel) {
		t.Errorf("without kernels: %v", err)
	}
	// Each is newer than those before it, or to be preferred.
	for _, name := range []string{
		"linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb",
		"linux-image-6.9.12+deb13-cloud-amd64_6.9.12-1_amd64.deb",
		"linux-image-6.12.117+deb13-amd64_6.12.117-1_amd64.deb",
		"linux-image-6.12.117+deb13-rt-amd64_6.12.117-1_amd64.deb",
		"linux-image-6.12.117+deb13-cloud-amd64_6.12.117-1_amd64.deb",
		"linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb",
		"linux-image-99999999999999999999.1_amd64.deb", // no version of a kernel, and no panic
	} {
		write(filepath.Join("kernels", name))
		want := name
		if strings.Contains(name, "99999") {
			want = "linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb"
		}
		for _, dir := range []string{module, deep} {
			if got, err := newestKernel(dir); err != nil || filepath.Base(got) != want {
				t.Errorf("after %s: %s, %v", name, got, err)
			}
		}
	}
	write("kernels/linux-headers-9.9_amd64.deb")
	write("kernels/linux-image-9.9.txt")
	if got, _ := newestKernel(module); filepath.Base(got) != "linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb" {
		t.Errorf("took %s for a kernel", got)
	}
	// The search does not leave the module.
	write("inner/go.mod")
	if got, err := newestKernel(filepath.Join(module, "inner")); err == nil {
		t.Errorf("found %s outside the module", got)
	}
}
