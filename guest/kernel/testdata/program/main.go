//go:build linux && amd64

// Command program is a guest that uses what programs use: goroutines, the standard library, variables by the megabyte.
// Its word says how it is to end.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	_ "github.com/tacit-vm/tacit/guest/kernel"
)

// Variables that are zero are a part of the image.
var large [100 << 20]byte

func main() {
	must(compute())
	must(ask())
	must(recovered())
	large[len(large)-1]++
	fmt.Println("all is well")
	switch os.Args[1] {
	case "panic":
		panic("as asked")
	case "deadlock":
		<-make(chan int)
	case "status":
		os.Exit(3)
	case "nil":
		fmt.Println(*nowhere)
	case "address":
		address := uint64(1) << 63
		fmt.Println(**(**byte)(unsafe.Pointer(&address)))
	case "memory":
		for kept := [][]byte{}; ; {
			b := make([]byte, 16<<20)
			for i := 0; i < len(b); i += os.Getpagesize() {
				b[i] = 1
			}
			kept = append(kept, b)
		}
	}
}

var nowhere *int

// recovered dereferences nil, in several goroutines and again and again.
func recovered() error {
	const tries = 10
	failures := make(chan any)
	for range tries {
		go func() {
			for range tries {
				func() {
					defer func() { failures <- recover() }()
					fmt.Println(*nowhere)
				}()
			}
		}()
	}
	for range tries * tries {
		if err, ok := (<-failures).(runtime.Error); !ok || !strings.Contains(err.Error(), "nil pointer dereference") {
			return fmt.Errorf("a nil dereference is %w", err)
		}
	}
	return nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// compute has many goroutines do what takes memory and time.
func compute() error {
	sums := map[int][32]byte{}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	text, err := json.Marshal(map[string]any{"a": 1, "b": []float64{1.5, 2e100}})
	if err != nil {
		return err
	}
	for i := range 20 {
		wg.Go(func() {
			time.Sleep(time.Duration(i%3) * time.Millisecond)
			sum := sha256.Sum256(append(text, byte(i)))
			mu.Lock()
			defer mu.Unlock()
			sums[i] = sum
		})
	}
	wg.Wait()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat(text, 1000)) // to a buffer
	if err := z.Close(); err != nil {
		return err
	}
	r, err := gzip.NewReader(&packed)
	if err != nil {
		return err
	}
	unpacked, err := io.ReadAll(r)
	if err != nil || len(unpacked) != 1000*len(text) || len(sums) != 20 {
		return fmt.Errorf("%d bytes, %d sums: %w", len(unpacked), len(sums), err)
	}
	runtime.GC()
	_, err = rand.Read(make([]byte, 100))
	return err
}

// ask asks for what is not there, which is an error that says so.
func ask() error {
	_, file := os.ReadFile("/etc/passwd")
	_, network := net.Dial("tcp", "127.0.0.1:80")
	name, err := os.Hostname()
	if !errors.Is(file, fs.ErrNotExist) || !errors.Is(network, syscall.EAFNOSUPPORT) || name != "guest" || err != nil {
		return fmt.Errorf("file %v; network %v; name %q, %v", file, network, name, err)
	}
	return nil
}
