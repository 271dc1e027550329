package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
)

// A shop has images by https and in a registry, and counts how often it is asked for something large.
type shop struct {
	*httptest.Server
	files map[string][]byte
	large atomic.Int64
}

func openShop(t *testing.T) *shop {
	s := &shop{files: map[string][]byte{}}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") || s.files[r.URL.Path] != nil {
			s.large.Add(1)
		}
		if b := s.files[r.URL.Path]; b != nil {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
			return
		}
		images.ServeHTTP(w, r)
	}))
	before := trusted
	t.Cleanup(func() {
		trusted = before
		s.CloseClientConnections()
		s.Close()
	})
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	trusted = &tls.Config{RootCAs: roots}
	return s
}

// has puts a file there, and returns its URL.
func (s *shop) has(path string, b []byte) string {
	s.files[path] = b
	sum := sha256.Sum256(b)
	return s.URL + path + "#sha256=" + hex.EncodeToString(sum[:])
}

// push puts an image there whose only layer is of a kind.
func (s *shop) push(t *testing.T, as string, layer []byte, kind types.MediaType) string {
	t.Helper()
	img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(layer, kind))
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(strings.TrimPrefix(s.URL, "https://") + "/" + as)
	if err == nil {
		err = remote.Write(tag, img, remote.WithTransport(s.Client().Transport))
	}
	if err != nil {
		t.Fatal(err)
	}
	return "docker://" + tag.String()
}

// An image is the same to boot, inspect and certify wherever it is: a disk by https, a disk as artifact and in a layer, a
// kernel in the file system of a container image.
func TestImagesByReference(t *testing.T) {
	ofVersion(t, "v1")
	s, dir := openShop(t), t.TempDir()
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
	disk, err := os.ReadFile(imagetest.Qcow2(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp}), "-c"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob("../../kernels/linux-image-6.12.*-cloud-amd64_*.deb")
	if err != nil || len(found) == 0 {
		t.Fatal("no kernel: run scripts/fetch-kernels")
	}
	k, err := image.Open(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	kernel := imagetest.Tar(t, imagetest.Files{"usr/lib/modules/" + k.Name + "/vmlinuz": k.Data, "usr/bin/true": []byte("\x7fELF")})
	byURL := s.has("/images/disk.qcow2", disk)
	artifact := s.push(t, "disks/debian:13", disk, "application/vnd.example.disk.qcow2")
	inLayer := s.push(t, "disks/kubevirt:13", imagetest.Tar(t, imagetest.Files{"disk/debian.qcow2": disk}), types.OCIUncompressedLayer)
	bootc := s.push(t, "os/bootc:42", kernel, types.OCIUncompressedLayer)
	cache := []string{"--cache", filepath.Join(dir, "cache")}

	for _, ref := range []string{byURL, artifact, inLayer} {
		to := filepath.Join(dir, "record.json")
		status, _, stderr := really(t, append([]string{"boot", "-q", "--memory", "512M", "--json", to, ref}, cache...)...)
		var r record.Record
		if b, err := os.ReadFile(to); err != nil || json.Unmarshal(b, &r) != nil {
			t.Fatal(err, stderr)
		}
		if status != 0 || r.Outcome != record.PowerOff || len(r.Disks) != 1 || !strings.HasPrefix(r.Disks[0].Format, "qcow2 disk image") {
			t.Errorf("%s: status %d, %+v, %s", ref, status, r.Disks, stderr)
		}
		os.Remove(to)
	}
	status, stdout, stderr := really(t, append([]string{"inspect", "--json", bootc}, cache...)...)
	if status != 0 || !strings.Contains(stdout, k.Name) || !strings.Contains(stdout, `"file": "`+bootc+`"`) || strings.Contains(stdout, dir) {
		t.Errorf("inspect: status %d, %s, %.2000s", status, stderr, stdout)
	}

	args := append([]string{"--platform", "tdx", "--policy", "lazy", "--memory", "512M", "--json", "-", "--store", filepath.Join(dir, "store"), "-"}, cache...)
	list := "# of this week\n" + byURL + "\n" + artifact + "\n" + bootc + "\ndocker://" + strings.TrimPrefix(s.URL, "https://") + "/none:1\n"
	run := func() *certify.Certificate {
		t.Helper()
		var out, log bytes.Buffer
		cmd := certifyCommand(claimsOf, new(exitStatus))
		cmd.SetArgs(args)
		cmd.SetIn(strings.NewReader(list))
		cmd.SetOut(&out)
		cmd.SetErr(&log)
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err, log.String())
		}
		var c certify.Certificate
		if err := json.Unmarshal(out.Bytes(), &c); err != nil {
			t.Fatal(err, log.String())
		}
		return &c
	}
	c := run()
	for i, want := range []struct{ file, image, failure string }{
		{byURL, "disk.qcow2", ""}, {artifact, "debian", ""}, {bootc, k.Name, ""}, {"", "", "NAME_UNKNOWN"},
	} {
		v := c.Verdicts[i]
		if want.failure == "" && (v.Result != certify.Passed || v.File != want.file || v.Image != want.image || len(v.FileSHA256) != 64) || !strings.Contains(v.Error, want.failure) || strings.Contains(v.Error, dir) {
			t.Errorf("%s: %+v", v.Line, v)
		}
	}
	// Nothing large is fetched again, though the cache has gone, and nothing is booted.
	if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
		t.Fatal(err)
	}
	s.large.Store(0)
	sameJSON(t, run(), c)
	if n := s.large.Load(); n != 0 {
		t.Errorf("%d images were fetched again", n)
	}
}

// A worker fetches for others what is elsewhere and has a digest: no file of its machine, nothing that a tag may move, and from
// no host of the local network that it has not been told of.
func TestWorkersFetchNoFiles(t *testing.T) {
	s := openShop(t)
	disk := s.has("/disk.raw", []byte("a disk"))
	sum := strings.Repeat("ab", 32)
	flags := sourceFlags{cache: t.TempDir(), size: 1 << 20}
	from, err := flags.fetcher()
	if err != nil {
		t.Fatal(err)
	}
	from.Strangers = true
	for reference, want := range map[string]string{
		"/etc/passwd": "not a reference that workers fetch", "oci:/var/lib": "not a reference that workers fetch", "docker://debian:13": "not a reference that workers fetch",
		"https://169.254.169.254/x#sha256=" + sum: "the local network", disk: "the local network", "docker://10.0.0.1/x@sha256:" + sum: "the local network",
	} {
		if _, _, err := fetchFor(t.Context(), from, reference); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", reference, err, want)
		}
	}
	from.Hosts = []string{strings.TrimPrefix(s.URL, "https://")}
	path, release, err := fetchFor(t.Context(), from, disk)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	holds(t, path, "a disk")
}
