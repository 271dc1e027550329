package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// maxModule is how large a kernel module may be, unpacked, in bytes.
const maxModule = 64 << 20

// KernelModules returns modules of the kernel of a release that a package has, unpacked, in the order of their names here:
// "virtio_blk". In names "-" and "_" are alike, as for modprobe(8). Those that the package does not have are left out: they
// may be built into the kernel. A file that is no package has none.
func KernelModules(ctx context.Context, from, release string, names []string) ([]File, error) {
	f, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	found := map[string]File{}
	_, err = eachInPackage(io.NewSectionReader(contextReaderAt{ctx, f}, 0, info.Size()), func(at string, size int64, content io.Reader) (last bool, err error) {
		name := moduleName(at)
		if !strings.Contains(at, "lib/modules/"+release+"/") || !slices.ContainsFunc(names, func(n string) bool { return plainName(n) == name }) {
			return false, nil
		}
		unpacked, err := decompressor(content)
		if err != nil {
			return false, fmt.Errorf("%s: %w", at, err)
		}
		data, err := io.ReadAll(bounded(unpacked, maxModule))
		if err != nil {
			return false, fmt.Errorf("damaged package: %s: %w", at, err)
		}
		found[name] = File{Name: name + moduleSuffix, Mode: 0o644, Data: data}
		return len(found) == len(names), nil
	})
	if err == errNoPackage {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	var all []File
	for _, n := range names {
		if m, ok := found[plainName(n)]; ok {
			all = append(all, m)
		}
	}
	return all, nil
}

const moduleSuffix = ".ko"

// moduleName is the name of the module in a file, whatever that is packed with; empty where it is no module.
func moduleName(file string) string {
	name, packed, ok := strings.Cut(path.Base(file), moduleSuffix)
	if !ok || packed != "" && !strings.HasPrefix(packed, ".") {
		return ""
	}
	return plainName(name)
}

func plainName(name string) string { return strings.ReplaceAll(name, "-", "_") }
