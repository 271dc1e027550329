package image

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Newest returns the path of the newest kernel package that scripts/fetch-kernels has put into dir; of the same version
// the cloud kernel, which has the fewest drivers. If there is none the error says how to get one.
func Newest(dir string) (path string, err error) {
	packages, err := filepath.Glob(filepath.Join(dir, "linux-*.deb"))
	if err != nil {
		return "", fmt.Errorf("%s: %w", dir, err)
	}
	packages = slices.DeleteFunc(packages, func(p string) bool { return kernelVersion(p) == nil })
	if len(packages) == 0 {
		return "", fmt.Errorf("no kernel in %s; scripts/fetch-kernels gets Debian's", dir)
	}
	return slices.MaxFunc(packages, func(a, b string) int {
		return cmp.Or(slices.Compare(kernelVersion(a), kernelVersion(b)), cmp.Compare(cloud(a), cloud(b)), cmp.Compare(a, b))
	}), nil
}

// packageName splits the archive's file name of a kernel: linux-image-6.12.9+deb13-cloud-amd64_6.12.9-1_amd64.deb.
var packageName = regexp.MustCompile(`^linux-(?:image|binary)-([0-9][0-9.]*)[^_]*_[^_]*_amd64\.deb$`)

func kernelVersion(path string) (version []int) {
	match := packageName.FindStringSubmatch(filepath.Base(path))
	if match == nil {
		return nil
	}
	for part := range strings.SplitSeq(match[1], ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		version = append(version, n)
	}
	return version
}

func cloud(path string) int {
	if strings.Contains(filepath.Base(path), "-cloud-") {
		return 1
	}
	return 0
}
