package image

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// containerImages makes images of layers with the programs that people make them with, in all forms, and returns their
// paths.
func containerImages(t testing.TB) map[string]string {
	t.Helper()
	dir := t.TempDir()
	layout := filepath.Join(dir, "layout")
	image := layout + ":latest"
	imagetest.Run(t, "umoci", "init", "--layout", layout)
	imagetest.Run(t, "umoci", "new", "--image", image)
	insert := func(files imagetest.Files) {
		imagetest.Run(t, "umoci", "insert", "--rootless", "--image", image, imagetest.Directory(t, files), "/")
	}
	insert(imagetest.Files{
		"boot/vmlinuz-1": []byte("MZ one"), "boot/vmlinuz-2": []byte("MZ two"), "boot/vmlinuz-3": []byte("MZ three"),
		"boot/dir/a": []byte("a"), "usr/lib/modules/6/vmlinuz": []byte("MZ kernel"),
	})
	insert(imagetest.Files{"boot/vmlinuz-2": []byte("MZ newer")})
	for _, gone := range []string{"/boot/vmlinuz-1", "/boot/dir"} {
		imagetest.Run(t, "umoci", "insert", "--rootless", "--whiteout", "--image", image, gone)
	}
	insert(imagetest.Files{"boot/vmlinuz-4": []byte("MZ four")})
	paths := map[string]string{"a layout": layout}
	for name, to := range map[string]string{
		"docker save":    "docker-archive:" + dir + "/docker.tar:x/y:latest",
		"an OCI archive": "oci-archive:" + dir + "/oci.tar:latest", "a directory": "dir:" + dir + "/dir",
	} {
		imagetest.Run(t, "skopeo", "--insecure-policy", "copy", "-q", "oci:"+image, to)
		paths[name] = strings.TrimSuffix(strings.TrimSuffix(strings.SplitN(to, ":", 2)[1], ":x/y:latest"), ":latest")
	}
	return paths
}

func TestContainerImages(t *testing.T) {
	for what, path := range containerImages(t) {
		c, got := look(t, path)
		if c.Format != "container image" || len(c.Volumes) != 1 {
			t.Errorf("%s: %s of %d volumes", what, c.Format, len(c.Volumes))
			continue
		}
		want := map[string]string{
			"boot/vmlinuz-2": "MZ newer", "boot/vmlinuz-3": "MZ three", "boot/vmlinuz-4": "MZ four",
			"usr/lib/modules/6/vmlinuz": "MZ kernel",
		}
		for name, content := range want {
			if string(got[c.Volumes[0].Name+name]) != content {
				t.Errorf("%s: %s is %q", what, name, got[c.Volumes[0].Name+name])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d files of %d", what, len(got), len(want))
		}
	}
}

// Layers hide what is below them; and what is hostile ends.
func TestLayers(t *testing.T) {
	first := imagetest.Tar(t, imagetest.Files{"a/x": []byte("1"), "a/b/y": []byte("2"), "c/z": []byte("3"), "d": []byte("4")})
	hex := func(n int) string { return fmt.Sprintf("%064x", n) }
	save := func(layers ...[]byte) []byte {
		files := imagetest.Files{}
		var names []string
		for i, b := range layers {
			name := hex(i) + "/layer.tar"
			files[name] = b
			names = append(names, `"`+name+`"`)
		}
		files["manifest.json"] = fmt.Appendf(nil, `[{"RepoTags":["x\u001b[2J:1"],"Layers":[%s]}]`, strings.Join(names, ","))
		return imagetest.Tar(t, files)
	}
	layer := func(names ...string) []byte {
		files := imagetest.Files{}
		for _, name := range names {
			files[name] = nil
		}
		return imagetest.Tar(t, files)
	}
	for name, c := range map[string]struct {
		second []byte
		want   string
	}{
		"nothing":                 {layer("e/f"), "a/b/y a/x c/z d e/f"},
		"a file":                  {layer(".wh.d"), "a/b/y a/x c/z"},
		"a directory":             {layer(".wh.a"), "c/z d"},
		"an opaque one":           {layer("a/.wh..wh..opq", "a/new"), "a/new c/z d"},
		"a directory that others": {layer("a/.wh.b"), "a/x c/z d"},
		"compressed":              {imagetest.Zstd(t, layer(".wh.d")), "a/b/y a/x c/z"},
	} {
		contents, _ := look(t, writeFile(t, save(first, c.second)))
		var names []string
		for _, e := range contents.Volumes[0].Files {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	c, err := lookAtBytes(save(first))
	if err != nil || c.Volumes[0].Name != "image x?[2J:1" {
		t.Errorf("%+v, %v", c, err)
	}
	bomb := gzipped(t, append(layer("x"), make([]byte, 1<<20)...))
	if _, err := lookAtBytes(save(bomb)); err != nil {
		t.Error(err)
	}
	missing := imagetest.Tar(t, imagetest.Files{"manifest.json": []byte(`[{"Layers":["` + hex(7) + `/layer.tar"]}]`)})
	if got := complaints(lookAtBytes(missing)); !strings.Contains(got, "1 of its 1 layers are not in it") {
		t.Errorf("%q", got)
	}
	circle := []byte(`{"manifests":[{"digest":"sha256:` + hex(1) + `"},{"digest":"sha256:` + hex(1) + `"}]}`)
	b := imagetest.Tar(t, imagetest.Files{"index.json": circle, "blobs/sha256/" + hex(1): circle})
	if got := complaints(lookAtBytes(b)); got != "" {
		t.Errorf("%q", got)
	}
	_, err = lookAtBytes(save(bytes.Repeat([]byte("{"), 600), first[:1100]))
	wantError(t, "a truncated layer", err, "layer.tar: unexpected EOF")
}
