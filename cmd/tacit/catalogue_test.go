package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

var catalogueImages = flag.Int("catalogue", 20, "certify a catalogue of so many images in TestCertifyIsKilled; from 100 on, with kernels")

// A made catalogue is files: three of four are the guest in Go, one of ten is damaged, and the rest are stock kernels, in
// packages, as they are, and as unified kernel images with many command lines.
type madeCatalogue struct {
	paths   []string
	damaged int
	same    int // that are the same program as another, in another form: their boot is one
}

func makeCatalogue(t *testing.T, n int) (c madeCatalogue) {
	dir := t.TempDir()
	add := func(name string, data []byte) {
		c.paths = append(c.paths, write(t, filepath.Join(dir, name), string(data)))
	}
	kernels := 0
	if n >= 100 {
		kernels = n * 3 / 20
		unifiedOf(t, &c, dir, kernels)
	}
	demo := guest.Demo()
	for i := range n / 10 {
		c.damaged++
		switch i % 4 {
		case 0:
			add(fmt.Sprintf("cut%02d.efi", i), demo[:len(demo)*(i+1)/n])
		case 1:
			add(fmt.Sprintf("zeros%02d.efi", i), make([]byte, i<<10))
		case 2:
			add(fmt.Sprintf("text%02d.deb", i), []byte(strings.Repeat("!<arch>\n", i)))
		case 3:
			beheaded := bytes.Clone(demo)
			clear(beheaded[64 : 512+i])
			add(fmt.Sprintf("beheaded%02d.efi", i), beheaded)
		}
	}
	for i := len(c.paths); i < n; i++ { // each an image of its own
		add(fmt.Sprintf("guest%03d.efi", i), append(demo[:len(demo):len(demo)], make([]byte, i)...))
	}
	return c
}

// unifiedOf adds images of stock kernels.
func unifiedOf(t *testing.T, c *madeCatalogue, dir string, n int) {
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		t.Fatal(err)
	}
	debian12, debian13 := inspectStock(t)
	words := []string{"quiet", "nokaslr", "mem=700M", "accept_memory=eager", "debug", "loglevel=3", "nosmp", "norandmaps", "init_on_alloc=1", "mitigations=off", "swiotlb=8192", "lpj=1000000", "audit=0"}
	for _, path := range []string{debian12, debian13} {
		img, err := image.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		c.paths = append(c.paths, path, write(t, filepath.Join(dir, "bzImage-"+img.Name), string(img.Data)))
		c.same++
		for _, word := range words {
			if len(c.paths) < n {
				uki := filepath.Join(dir, img.Name+"-"+word+".efi")
				imagetest.Unified(t, uki, img.Data, "console=ttyS0 "+word, initrd)
				c.paths = append(c.paths, uki)
			}
		}
	}
}

// A catalogue whose certification is killed again and again ends as one that was not, and what had come to its end is not
// run again. Certified once more, it boots nothing.
func TestCertifyIsKilled(t *testing.T) {
	const kills = 10
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	made, store := makeCatalogue(t, *catalogueImages), t.TempDir()
	boots := len(made.paths) - made.damaged
	args := append([]string{"certify", "--platform", "tdx", "--policy", "lazy", "--memory", "1G", "--jobs", "2", "--json", "-", "--store", store}, made.paths...)
	known := map[string]bool{}
	for kill := range kills {
		cmd := command(t, "", args...)
		cmd.Env = append(cmd.Env, "TACIT_VERSION_OF_TESTS=v1")
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Boots that are known are told of, too.
		step := max(1, 2*(boots-len(known))/(kills-kill+1))
		lines, last := bufio.NewScanner(stderr), min(len(known)+1+random.IntN(step), boots-1)
		for range last {
			if !lines.Scan() {
				break
			}
		}
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait() // it was killed
		now := map[string]bool{}
		for _, line := range exported(t, "--store", store) {
			now[line] = true
		}
		for line := range known { // with the time that it took on the host, which differs from run to run
			if !now[line] {
				t.Errorf("kill %d: what was kept is not there as it was: %.200s", kill, line)
			}
		}
		if len(now) < last-made.same {
			t.Errorf("kill %d: %d boots were told to have ended, and %d are kept", kill, last, len(now))
		}
		known = now
		t.Logf("kill %d, after %d of %d boots", kill+1, len(known), boots)
	}
	ofVersion(t, "v1")
	want := 0
	if made.damaged > 0 {
		want = int(statusUnknown)
	}
	certified := func(args []string) (text []byte, took time.Duration) {
		began := time.Now()
		status, stdout, stderr := tacit(t.Context(), &fake{}, args...)
		if status != want {
			t.Fatalf("status %d, want %d: %s", status, want, stderr)
		}
		return []byte(stdout), time.Since(began)
	}
	resumed, _ := certified(args)
	var c certify.Certificate
	if err := json.Unmarshal(resumed, &c); err != nil {
		t.Fatal(err)
	}
	quick := 0
	for _, b := range c.Boots {
		if b.Record != nil && b.Record.Host.WallNS < int64(2*time.Second) {
			quick++
		}
	}
	if all := exported(t, "--store", store); len(all) != boots-made.same {
		t.Errorf("%d results of %d boots, of which %d are of the same program as another", len(all), boots, made.same)
	}
	again, took := certified(args)
	if !bytes.Equal(again, resumed) { // also the time that each boot took on the host
		t.Error("what was certified again is not the same")
	}
	undisturbed, whole := certified(append(args[:len(args):len(args)], "--store", t.TempDir()))
	sameJSON(t, certificateOf(t, resumed), certificateOf(t, undisturbed))
	t.Logf("ended with: %d images, %d of them damaged, killed %d times; all in %v undisturbed, %d boots in less than 2 s each; again in %v",
		len(made.paths), made.damaged, kills, whole.Round(time.Second), quick, took.Round(10*time.Millisecond))
}
