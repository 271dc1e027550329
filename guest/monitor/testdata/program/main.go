// Command program is an ordinary Go program that does what programs do, and says what came of it; its word says which of
// that. On a host and in a guest it says the same.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math/big"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"text/template"
	"time"
)

func main() {
	parts := map[string]func() error{
		"compute": compute, "preempt": preempt, "heap": heap, "parallel": parallel, "files": files, "mapped": mapFile, "input": input, "signal": signalled, "recover": recovered,
		"variable": func() error { fmt.Println(os.Getenv("TMPDIR")); return nil },
		"exit":     func() error { os.Exit(42); return nil },
		"unserved": func() error { _, _, err := syscall.Syscall(syscall.SYS_MOUNT, 0, 0, 0); return err },
		"own":      func() error { return own() },
		"panic":    func() error { panic("as asked") },
		"memory":   func() error { return hold(1 << 40) },
	}
	for _, word := range os.Args[1:] {
		part, ok := parts[word]
		if !ok {
			fmt.Println("no", word)
			os.Exit(2)
		}
		if err := part(); err != nil {
			fmt.Println(word+":", err)
			os.Exit(1)
		}
		fmt.Println(word, "done")
	}
}

// compute has many goroutines do what takes memory and time.
func compute() error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := range 16 {
		wg.Go(func() {
			for j := range 1000 {
				mu.Lock()
				total += i * j
				mu.Unlock()
				if j%100 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	var packed, picture, list bytes.Buffer
	z := gzip.NewWriter(&packed)
	for i := range 10000 {
		fmt.Fprintln(z, "line", i)
	}
	if err := z.Close(); err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	for i := range 100 {
		img.Set(i, i, color.RGBA{uint8(i), 2, 3, 255})
	}
	if err := png.Encode(&picture, img); err != nil {
		return err
	}
	if err := gob.NewEncoder(&list).Encode(map[string]int{"a": 1}); err != nil {
		return err
	}
	var m map[string]int
	if err := gob.NewDecoder(&list).Decode(&m); err != nil {
		return err
	}
	fmt.Printf("%d %x %x %v %.40s\n", total, sha256.Sum256(packed.Bytes()), sha256.Sum256(picture.Bytes()), m,
		new(big.Int).MulRange(1, 1000).String())
	return template.Must(template.New("").Parse("{{range .}}<{{.}}>{{end}}\n")).Execute(os.Stdout, []float64{1, 2.5, 1e100})
}

var spun int

// preempt goes on although another goroutine never lets go of the one processor.
func preempt() error {
	runtime.GOMAXPROCS(1)
	go func() {
		for i := 0; ; i++ {
			spun = i
		}
	}()
	time.Sleep(20 * time.Millisecond)
	return nil
}

// heap holds 300 MiB, and gives them back.
func heap() error { return hold(300 << 20) }

func hold(n int) error {
	var kept [][]byte
	sum := 0
	for i := 0; len(kept)<<20 < n; i++ {
		b := make([]byte, 1<<20)
		for j := 0; j < len(b); j += 4 << 10 {
			b[j] = byte(i)
		}
		kept = append(kept, b)
	}
	for _, b := range kept {
		sum += int(b[4<<10])
	}
	fmt.Println(len(kept), "MiB,", sum)
	return nil
}

// files uses a file system, in a directory of its own.
func files() error {
	dir, err := os.MkdirTemp("", "program")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	inner := filepath.Join(dir, "a", "b")
	must := func(errs ...error) {
		for i, e := range errs {
			if e != nil && err == nil {
				err = fmt.Errorf("step %d: %w", i, e)
			}
		}
	}
	must(os.MkdirAll(inner, 0o755), os.WriteFile(filepath.Join(inner, "large"), large, 0o600), os.Symlink("b/large", filepath.Join(dir, "a", "link")),
		os.Truncate(filepath.Join(inner, "large"), 3<<20+5), os.Rename(inner, filepath.Join(dir, "a", "c")), os.Rename(filepath.Join(dir, "a", "c"), inner))
	read, e := os.ReadFile(filepath.Join(dir, "a", "link"))
	must(e)
	fmt.Println(len(read), bytes.Equal(read, large[:len(read)]))
	if e := os.Remove(inner); !errors.Is(e, syscall.ENOTEMPTY) {
		return fmt.Errorf("removing what is not empty: %w", e)
	}
	f, e := os.OpenFile(filepath.Join(dir, "appended"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	must(e)
	for i := range 3 {
		_, e := fmt.Fprintln(f, "line", i)
		must(e)
	}
	_, e = f.WriteAt([]byte("x"), 5)
	fmt.Println("WriteAt:", e)
	_, e = f.Seek(0, 0)
	must(e, f.Sync())
	for s := bufio.NewScanner(f); s.Scan(); {
		fmt.Println(s.Text())
	}
	must(f.Close(), filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			fmt.Println(within, info.Mode(), info.Size())
		}
		return err
	}))
	r, w, e := os.Pipe()
	must(e)
	go func() {
		_, _ = w.Write(large[:200_000])
		_ = w.Close()
	}()
	var through bytes.Buffer
	n, e := through.ReadFrom(r)
	must(e, os.RemoveAll(dir))
	_, e = os.Stat(dir)
	fmt.Println(n, bytes.Equal(through.Bytes(), large[:200_000]), errors.Is(e, fs.ErrNotExist))
	return err
}

func input() error {
	s := bufio.NewScanner(os.Stdin)
	for s.Scan() {
		fmt.Printf("line %q\n", s.Text())
	}
	return s.Err()
}

func signalled() error {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		return err
	}
	fmt.Println(<-c)
	return nil
}

var nowhere *int

func recovered() error {
	for _, f := range []func(){func() { fmt.Println(*nowhere) }, func() { fmt.Println(1 / (spun - spun)) }} {
		func() {
			defer func() { fmt.Println(recover()) }()
			f()
		}()
	}
	return nil
}

// own makes calls that the kernel has beyond Linux's (guest/kernel/program.go): those that tell something write nowhere but
// to the program's memory, and others are not for a program that is another's.
func own() error {
	const describe, memory, touch = 1 << 20, 1<<20 + 1, 1<<20 + 2
	for _, nr := range []uintptr{describe, memory} {
		for _, to := range []uintptr{0, 8, 0x7f0000001000, 1<<47 - 8, 0xFFFF_8000_0000_0000, 1<<64 - 8} {
			if _, _, e := syscall.Syscall(nr, to, 0, 0); e != syscall.EFAULT {
				return fmt.Errorf("call %d to %#x: %v", nr, to, e)
			}
		}
	}
	_, _, e := syscall.Syscall(touch, 0, 0, 0)
	return e
}
