package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var errNoKernel = errors.New("no IMAGE given and no kernel in kernels/: scripts/fetch-kernels gets one")

// kernelFile matches the names under which scripts/fetch-kernels leaves Debian's kernels, and their version.
var kernelFile = regexp.MustCompile(`^linux-(?:image|binary)-(\d+(?:\.\d+)*)[^/]*\.deb$`)

// newestKernel finds the kernel to boot when none is named: the one with the highest version in the directory kernels
// of dir or, where dir is inside a Go module, of the module. Of several flavours of one version it prefers cloud.
func newestKernel(dir string) (string, error) {
	for {
		if path := newestIn(filepath.Join(dir, "kernels")); path != "" {
			return path, nil
		}
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		parent := filepath.Dir(dir)
		if err == nil || parent == dir {
			return "", errNoKernel
		}
		dir = parent
	}
}

// newestHere is newestKernel from the working directory, and relative to it.
func newestHere() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	path, err := newestKernel(dir)
	if err != nil {
		return "", err
	}
	return filepath.Rel(dir, path)
}

func newestIn(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var newest string
	for _, e := range entries {
		if kernelFile.MatchString(e.Name()) && (newest == "" || compareKernels(e.Name(), newest) > 0) {
			newest = e.Name()
		}
	}
	if newest == "" {
		return ""
	}
	return filepath.Join(dir, newest)
}

func compareKernels(a, b string) int {
	cloud := func(name string) int {
		if strings.Contains(name, "-cloud-") {
			return 1
		}
		return 0
	}
	return cmp.Or(slices.Compare(version(a), version(b)), cmp.Compare(cloud(a), cloud(b)), strings.Compare(a, b))
}

// version is the kernel's version in a name that kernelFile matches.
func version(name string) []int {
	var v []int
	for part := range strings.SplitSeq(kernelFile.FindStringSubmatch(name)[1], ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = 0 // more digits than an int holds: no kernel's version
		}
		v = append(v, n)
	}
	return v
}
