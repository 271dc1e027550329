package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A front is a server with TLS that can be told to do something else with some requests.
type front struct {
	*httptest.Server
	mu       sync.Mutex
	behind   http.Handler
	lie      func(w http.ResponseWriter, r *http.Request) bool // says whether it has answered
	requests []string                                          // method, path and Range
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
	lie := f.lie
	f.mu.Unlock()
	if lie == nil || !lie(w, r) {
		f.behind.ServeHTTP(w, r)
	}
}

// asked counts requests with a text in them since the last time, and forgets them.
func (f *front) asked(what string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if strings.Contains(r, what) {
			n++
		}
	}
	f.requests = nil
	return n
}

func (f *front) lies(lie func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lie = lie
}

func serve(t *testing.T, h http.Handler) *front {
	f := &front{behind: h}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *front) host() string { return strings.TrimPrefix(f.URL, "https://") }

// fetcher trusts the servers, and is short of patience.
func fetcher(t *testing.T, servers ...*front) *Fetcher {
	roots := x509.NewCertPool()
	for _, s := range servers {
		roots.AddCert(s.Certificate())
	}
	return &Fetcher{
		Dir: t.TempDir(), Size: 64 << 20, TLS: &tls.Config{RootCAs: roots}, Keychain: authn.NewMultiKeychain(),
		bounds: &limits{
			silence: 700 * time.Millisecond, window: 200 * time.Millisecond, least: 1 << 10, attempts: 3, enough: 1 << 20, pause: time.Millisecond,
			all: 10 * time.Second, manifest: 64 << 10, layers: 16,
		},
	}
}

// bytesOf are so many that no two seeds have in common.
func bytesOf(seed uint64, n int) []byte {
	b, r := make([]byte, n), rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func fetch(t *testing.T, f *Fetcher, text string) (*File, error) {
	t.Helper()
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Fetch(t.Context(), r)
	t.Cleanup(func() { got.Close() })
	return got, err
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A file of a web server.
func webServer(b []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	})
}

// What is fetched is there under its name with its digest, stays in the cache, and is checked each time: one that has been
// damaged since is fetched again.
func TestWeb(t *testing.T) {
	disk := bytesOf(1, 3<<20)
	s := serve(t, webServer(disk))
	f := fetcher(t, s)
	text := s.URL + "/images/disk.raw#sha256=" + sum(disk)
	var last [2]int64
	f.Progress = func(ref string, read, size int64) { last = [2]int64{read, size} }
	for i, want := range []int{1, 0, 1} {
		got, err := fetch(t, f, text)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(got.Path) != "disk.raw" || got.SHA256 != sum(disk) || !bytes.Equal(content(t, got.Path), disk) {
			t.Errorf("%d: %+v", i, got)
		}
		if n := s.asked("GET"); n != want {
			t.Errorf("%d: %d requests, want %d", i, n, want)
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(got.Path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("what was closed is there still: %v", err)
		}
		if i == 1 {
			blob := f.cache.blob(digest("sha256:" + sum(disk)))
			if err := errors.Join(os.Chmod(blob, 0o600), os.WriteFile(blob, disk[:100], 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last != [2]int64{3 << 20, 3 << 20} {
		t.Errorf("progress %v", last)
	}
}

// A download that breaks off is gone on with where it was, also by another process; a server that cannot do that begins anew.
func TestResumes(t *testing.T) {
	disk := bytesOf(2, 8<<20)
	for _, ranges := range []bool{true, false} {
		s := serve(t, webServer(disk))
		f := fetcher(t, s)
		left := 3
		s.lies(func(w http.ResponseWriter, r *http.Request) bool {
			if !ranges {
				r.Header.Del("Range")
			}
			if left--; left < 0 {
				return false
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(disk)))
			var from int
			if r.Header.Get("Range") != "" {
				fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(disk)-1, len(disk)))
				w.Header().Set("Content-Length", fmt.Sprint(len(disk)-from))
				w.WriteHeader(http.StatusPartialContent)
			}
			_, _ = w.Write(disk[from : from+2<<20])
			panic(http.ErrAbortHandler)
		})
		got, err := fetch(t, f, s.URL+"/disk.raw#sha256="+sum(disk))
		if err != nil || !bytes.Equal(content(t, got.Path), disk) {
			t.Fatalf("ranges %t: %v", ranges, err)
		}
		if n := s.asked("bytes="); n != 3 {
			t.Errorf("ranges %t: %d times from the middle, want 3", ranges, n)
		}
	}
	// What another process has begun, rightly and wrongly.
	for what, begun := range map[string][]byte{"as it is": disk[:5<<20], "of another file": bytesOf(3, 1<<20), "too much": bytesOf(3, 65<<20)} {
		s := serve(t, webServer(disk))
		f := fetcher(t, s)
		d := digest("sha256:" + sum(disk))
		c, err := openCache(f.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.part(d), begun, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := fetch(t, f, s.URL+"/disk.raw#sha256="+sum(disk))
		if err != nil || !bytes.Equal(content(t, got.Path), disk) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Servers that lie, each with an error that says what is wrong, soon, and with nothing in the cache.
func TestServersThatLie(t *testing.T) {
	t.Parallel()
	disk := bytesOf(4, 1<<20)
	other := serve(t, webServer(disk))
	s := serve(t, webServer(disk))
	endless := func(w http.ResponseWriter, pause time.Duration) bool {
		b := bytesOf(5, 4<<10)
		for {
			if _, err := w.Write(b); err != nil {
				return true
			}
			if pause > 0 {
				w.(http.Flusher).Flush()
				time.Sleep(pause)
				b = b[:1]
			}
		}
	}
	redirect := func(to string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, to, http.StatusFound)
			return true
		}
	}
	for what, c := range map[string]struct {
		lie  func(w http.ResponseWriter, r *http.Request) bool
		want string
	}{
		"another file": {func(w http.ResponseWriter, r *http.Request) bool { _, _ = w.Write(disk[1:]); return true }, "another digest"},
		"endless":      {func(w http.ResponseWriter, r *http.Request) bool { return endless(w, 0) }, "more comes than the 64 MiB that are fetched at most"},
		"huge": {func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(1<<40))
			return endless(w, 0)
		}, "1 TiB, and at most 64 MiB are fetched (--cache-size)"},
		"slow": {func(w http.ResponseWriter, r *http.Request) bool { return endless(w, 20*time.Millisecond) }, "too slow"},
		"silent": {func(w http.ResponseWriter, r *http.Request) bool {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
			return true
		}, "timeout"},
		"short": {func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(disk)))
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		}, "after 3 attempts"},
		"gone":            {func(w http.ResponseWriter, r *http.Request) bool { http.NotFound(w, r); return true }, "404 Not Found"},
		"overloaded":      {func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }, "after 3 attempts: the server answers 503"},
		"to this host":    {redirect(other.URL + "/disk.raw"), "an address of the local network"},
		"to the cloud":    {redirect("https://169.254.169.254/latest/meta-data"), "an address of the local network"},
		"to plain HTTP":   {redirect("http://example.com/disk.raw"), "plain HTTP"},
		"to a file":       {redirect("file:///etc/passwd"), "plain HTTP"},
		"round and round": {redirect(s.URL + "/again"), "more than 5 redirects"},
	} {
		s.lies(c.lie)
		f := fetcher(t, s, other)
		began := time.Now()
		_, err := fetch(t, f, s.URL+"/disk.raw#sha256="+sum(disk))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "https://") > 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if took := time.Since(began); took > 2*f.bounds.all {
			t.Errorf("%s: it took %v", what, took)
		}
		if blobs, _ := os.ReadDir(filepath.Join(f.Dir, "blobs")); len(blobs) != 0 {
			t.Errorf("%s: %d files are kept", what, len(blobs))
		}
		if views, _ := os.ReadDir(filepath.Join(f.Dir, "views")); len(views) != 0 {
			t.Errorf("%s: %d views are left", what, len(views))
		}
	}
	// A host that was named may be led to.
	s.lies(redirect(other.URL + "/disk.raw"))
	f := fetcher(t, s, other)
	f.Hosts = []string{other.host()}
	if _, err := fetch(t, f, s.URL+"/disk.raw#sha256="+sum(disk)); err != nil {
		t.Error(err)
	}
	// Told to end, it ends.
	s.lies(func(w http.ResponseWriter, r *http.Request) bool { return endless(w, time.Millisecond) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, _ := Parse(s.URL + "/disk.raw#sha256=" + sum(disk))
	if _, err := fetcher(t, s).Fetch(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// The cache keeps what was used last, and what is in use whatever its size.
func TestCacheHasASize(t *testing.T) {
	files := map[string][]byte{}
	for i := range 4 {
		files[fmt.Sprintf("/%d", i)] = bytesOf(uint64(10+i), 1<<20)
	}
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(files[r.URL.Path]) }))
	f := fetcher(t, s)
	f.Size = 2<<20 + 100
	ref := func(i int) string { p := fmt.Sprintf("/%d", i); return s.URL + p + "#sha256=" + sum(files[p]) }
	first, err := fetch(t, f, ref(0))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 4; i++ {
		time.Sleep(10 * time.Millisecond) // times of files are coarse
		if _, err := fetch(t, f, ref(i)); err != nil {
			t.Fatal(err)
		}
	}
	blobs, err := os.ReadDir(filepath.Join(f.Dir, "blobs"))
	if err != nil || len(blobs) != 2 {
		t.Errorf("%d files are kept, %v", len(blobs), err)
	}
	if !bytes.Equal(content(t, first.Path), files["/0"]) {
		t.Error("what is in use has changed")
	}
	s.asked("")
	if _, err := fetch(t, f, ref(3)); err != nil || s.asked("GET") != 0 {
		t.Error("the last one was not kept", err)
	}
	if _, err := fetch(t, f, ref(0)); err != nil || s.asked("GET") != 1 {
		t.Error("the first one was kept", err)
	}
	f.Size = 1 << 19
	if _, err := fetch(t, f, ref(1)); err == nil || !strings.Contains(err.Error(), "--cache-size") {
		t.Error(err)
	}
}

// pushed puts an image of layers into a registry, alone and in an index of several machines.
func pushed(t *testing.T, s *front, layers ...[]byte) (ref string, image v1.Image) {
	t.Helper()
	image = mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, l := range layers {
		var err error
		if image, err = mutate.AppendLayers(image, static.NewLayer(l, types.MediaType("application/octet-stream"))); err != nil {
			t.Fatal(err)
		}
	}
	arm, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte("arm"), "application/octet-stream"))
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	tag, err := name.NewTag(s.host() + "/team/disks:13")
	if err == nil {
		err = remote.WriteIndex(tag, index, remote.WithTransport(s.Client().Transport))
	}
	if err != nil {
		t.Fatal(err)
	}
	return "docker://" + tag.String(), image
}

func quiet() http.Handler { return registry.New(registry.Logger(log.New(io.Discard, "", 0))) }

// From a registry comes a layout of the one image that is for this kind of machine, by tag as by digest; layers that are there
// are not fetched again.
func TestRegistry(t *testing.T) {
	disk, more := bytesOf(6, 2<<20), bytesOf(7, 1<<20)
	s := serve(t, quiet())
	ref, image := pushed(t, s, disk, more)
	want, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	f := fetcher(t, s)
	r, err := Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := f.Digest(t.Context(), r); err != nil || d != want.Hex {
		t.Errorf("digest %s, %v; want %s", d, err, want.Hex)
	}
	pinned, ok := r.Pinned(want.Hex)
	if !ok || r.Travels() || !pinned.Travels() {
		t.Errorf("%s, pinned %s", r, pinned)
	}
	s.asked("")
	for i, ref := range []string{ref, pinned.String()} {
		got, err := fetch(t, f, ref)
		if err != nil {
			t.Fatal(err)
		}
		if got.SHA256 != want.Hex || filepath.Base(got.Path) != "disks" {
			t.Errorf("%+v", got)
		}
		for _, layer := range [][]byte{disk, more} {
			if !bytes.Equal(content(t, filepath.Join(got.Path, "blobs", "sha256", sum(layer))), layer) {
				t.Error("a layer is not what it was")
			}
		}
		if n := s.asked("/blobs/"); n != 2-2*i {
			t.Errorf("%d layers fetched by %s", n, ref)
		}
		// The same image from there, as a layout by itself.
		again, err := fetch(t, f, "oci:"+got.Path)
		if err != nil || again.SHA256 != want.Hex {
			t.Errorf("%+v, %v", again, err)
		}
	}
}

// Registries that lie.
func TestRegistriesThatLie(t *testing.T) {
	t.Parallel()
	disk := bytesOf(8, 1<<20)
	other, s := serve(t, webServer(disk)), serve(t, quiet())
	ref, image := pushed(t, s, disk)
	manifest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	on := func(part string, do http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, part) {
				do(w, r)
				return true
			}
			return false
		}
	}
	endless := func(pause time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1000))); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
		}
	}
	text := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text) }
	}
	for what, c := range map[string]struct {
		lie  func(http.ResponseWriter, *http.Request) bool
		want string
	}{
		"another layer":  {on("/blobs/", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(bytesOf(9, 1<<20)) }), "another digest"},
		"a longer layer": {on("/blobs/", text(strings.Repeat("x", 1<<20+1))), "more comes than the 1048576 bytes"},
		"a layer elsewhere": {on("/blobs/", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/x", http.StatusTemporaryRedirect)
		}), "an address of the local network"},
		"no layer":              {on("/blobs/", http.NotFound), "404 Not Found"},
		"another manifest":      {on("/manifests/"+manifest.String(), text(`{"layers":[]}`)), "another digest"},
		"an endless manifest":   {on("/manifests/", endless(0)), "more than 65536 bytes"},
		"a slow manifest":       {on("/manifests/", endless(100*time.Millisecond)), "does not answer in time"},
		"no JSON":               {on("/manifests/", text("<html>")), "its manifest"},
		"a manifest of nothing": {on("/manifests/", text("{}")), "without layers"},
		"a wrong digest":        {on("/manifests/", text(`{"layers":[{"digest":"sha256:../../etc"}]}`)), "is no digest"},
		"a negative size":       {on("/manifests/", text(`{"layers":[{"digest":"sha256:`+sum(disk)+`","size":-1}]}`)), "negative size"},
		"a huge layer":          {on("/manifests/", text(`{"layers":[{"digest":"sha256:`+sum(disk)+`","size":9000000000000000000},{"digest":"sha256:`+sum(disk)+`","size":9000000000000000000}]}`)), "--cache-size"},
		"many layers":           {on("/manifests/", text(`{"layers":[`+strings.Repeat(`{"digest":"sha256:`+sum(disk)+`"},`, 16)+`{"digest":"sha256:`+sum(disk)+`"}]}`)), "17 layers"},
		"an index of itself":    {on("/manifests/", text(`{"manifests":[{"digest":"sha256:`+sum(disk)+`"}]}`)), "another digest"},
		"nothing for amd64":     {on("/manifests/", text(`{"manifests":[{"digest":"sha256:`+sum(disk)+`","platform":{"architecture":"arm64","os":"linux"}}]}`)), "no image in it is for amd64"},
		"a token from this host": {on("/v2/", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+other.URL+`/token",service="x"`)
			w.WriteHeader(401)
		}), "private or link-local"},
		"a login that is refused": {on("/v2/", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(401)
		}), "UNAUTHORIZED"},
		"a door that is shut": {on("/v2/", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }), "EOF"},
	} {
		s.lies(c.lie)
		f := fetcher(t, s, other)
		began := time.Now()
		_, err := fetch(t, f, ref)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.want)) || !strings.HasPrefix(err.Error(), ref+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if took := time.Since(began); took > 2*f.bounds.all {
			t.Errorf("%s: it took %v", what, took)
		}
		if blobs, _ := os.ReadDir(filepath.Join(f.Dir, "blobs")); len(blobs) != 0 {
			t.Errorf("%s: %d files are kept", what, len(blobs))
		}
	}
}

// Who one is, Docker's configuration says.
func TestRegistryWithALogin(t *testing.T) {
	s := serve(t, quiet())
	ref, _ := pushed(t, s, bytesOf(20, 1000))
	s.lies(func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, ok := r.BasicAuth(); ok && user == "ci" && password == "of tests" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	f := fetcher(t, s)
	if _, err := fetch(t, f, ref); err == nil {
		t.Error("nobody has logged in")
	}
	config := t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(`{"auths":{"`+s.host()+`":{"username":"ci","password":"of tests"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Keychain = nil
	if _, err := fetch(t, f, ref); err != nil {
		t.Error(err)
	}
}
