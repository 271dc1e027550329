package image

import (
	"context"
	"debug/pe"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// This file is for those who boot what is in a container image: its OCI layout is a directory (OCI Image Format
// Specification, "Image Layout"). There are such images with a kernel in their file system, as bootc's are, or with nothing
// but a kernel or a disk; and artifacts, of which a layer is no tar archive but the disk itself.

// openLayout opens what firmware can start of the image in a layout.
func openLayout(ctx context.Context, dir string) (*Image, error) {
	c, err := Look(ctx, dir, startable{}, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if c.Format != formatContainer {
		return nil, fmt.Errorf("%s: a directory, which is no OCI layout of a container image", dir)
	}
	for _, v := range c.Volumes {
		best := -1
		for i, e := range v.Files {
			if e.Link == "" && (best < 0 || rank(e) >= rank(v.Files[best])) && rank(e) > 0 {
				best = i // of several kernels the last, which is the newest as a rule
			}
		}
		if best < 0 {
			continue
		}
		data, err := v.Files[best].Bytes(maxFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		return Parse(dir+": "+v.Files[best].Name, data)
	}
	return nil, fmt.Errorf("%s: no kernel and no unified kernel image in this container image", dir)
}

// rank says which of the files of an image is to be started: what firmware would, or else a unified kernel image, or else a
// kernel. It is 0 for others, such as loaders, which have nothing to load without a disk.
func rank(e Entry) int {
	head := make([]byte, HeadSize)
	n, _ := e.ReadAt(head, 0) // a short file is none of them
	switch {
	case isBzImage(head[:n]):
		return 1
	case !isPE(head[:n]):
		return 0
	}
	f, err := pe.NewFile(io.NewSectionReader(e, 0, e.Size))
	switch {
	case err != nil, f.Section(".linux") == nil:
		return 0
	case strings.EqualFold(path.Base(e.Name), "bootx64.efi"):
		return 3
	}
	return 2
}

// startable wants what firmware can start, where images have it: in their root, below boot and efi, and beside the modules of
// the kernel.
type startable struct{}

func (startable) Directory(dir string) bool {
	first, rest, _ := strings.Cut(dir, "/")
	switch strings.ToLower(first) {
	case "boot", "efi":
		return strings.Count(dir, "/") < 4
	case "lib":
		return rest == "" || rest == "modules" || strings.HasPrefix(rest, "modules/") && strings.Count(rest, "/") == 1
	case "usr":
		return rest == "" || rest == "lib" || startable{}.Directory(rest) && strings.HasPrefix(rest, "lib/")
	}
	return false
}

func (startable) File(name string, size int64, head []byte) bool {
	return size <= maxFile && (isBzImage(head) || isPE(head))
}

// diskInLayout opens the disk in the uppermost layer that has one: as it is, or the first file of a tar archive.
func diskInLayout(ctx context.Context, dir string) (*Disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	manifest, err := layoutManifest(root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for _, layer := range slices.Backward(manifest.Layers) {
		algorithm, digest, _ := strings.Cut(layer.Digest, ":")
		f, err := root.Open(blobName(layer.Digest))
		if err != nil {
			return nil, err
		}
		d, err := OpenDiskFile(ctx, f)
		if err == nil {
			if algorithm == "sha256" {
				d.SHA256 = digest
			}
			return d, nil
		}
		f.Close()
		if !errors.Is(err, ErrNoDisk) {
			return nil, fmt.Errorf("%s: layer %.19s: %w", dir, layer.Digest, err)
		}
	}
	return nil, fmt.Errorf("%s: %w", dir, ErrNoDisk)
}

// A layoutDescriptor is what indexes and manifests have of each of their parts.
type layoutDescriptor struct {
	Digest   string
	Platform struct{ Architecture string }
}

type layoutIndex struct{ Manifests, Layers []layoutDescriptor }

// layoutManifest reads the manifest of the first image of a layout that is for amd64, or for no machine in particular.
func layoutManifest(root *os.Root) (m layoutIndex, err error) {
	const deepest = 4 // indexes in indexes
	name := "index.json"
	for range deepest {
		m = layoutIndex{}
		file, err := root.Open(name)
		if errors.Is(err, fs.ErrNotExist) && name == "index.json" {
			return m, ErrNoDisk
		}
		if err != nil {
			return m, err
		}
		err = json.NewDecoder(io.LimitReader(file, maxManifest)).Decode(&m)
		file.Close()
		if err != nil {
			return m, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		if len(m.Layers) > maxLayers {
			return m, fmt.Errorf("more than %d layers", maxLayers)
		}
		i := slices.IndexFunc(m.Manifests, func(d layoutDescriptor) bool {
			return d.Platform.Architecture == "" || d.Platform.Architecture == "amd64"
		})
		if i < 0 {
			return m, nil
		}
		name = blobName(m.Manifests[i].Digest)
	}
	return m, errors.New("indexes in indexes in indexes")
}
