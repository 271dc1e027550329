package gdb

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hungUp asserts that the other end closes a connection, soon and without having said anything.
func hungUp(t *testing.T, c net.Conn, what string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(helloPatience / 2)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := c.Read(b); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Errorf("%s: %q, %v", what, b[:n], err)
	}
}

// A web page can have a browser of this machine connect to the port, and choose some of what it sends. What it sends
// first is HTTP, and that is the end; packets after it are not looked at, and the machine goes on waiting for its gdb.
func TestOtherProtocols(t *testing.T) {
	f := newFake(1)
	address, wait := debug(t, f)
	body := frame("M600000,1:ee") + frame("vKill;1")
	for what, text := range map[string]string{
		"a form":              "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\n" + body,
		"a page":              "GET /" + body + " HTTP/1.1\r\n\r\n",
		"TLS":                 "\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + body,
		"a line feed":         "+\n" + body,
		"a damaged packet":    "$?#00" + body,
		"an endless greeting": strings.Repeat("+", 1000) + "x" + body,
	} {
		c := dial(t, address)
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		hungUp(t, c, what)
	}
	c := newClient(t, address)
	if got := c.ask("m600000,1"); got != "00" {
		t.Errorf("memory is %q", got)
	}
	c.write("GET / HTTP/1.1\r\n" + body) // nor in the middle
	wait()
	if last := f.resumes[len(f.resumes)-1].How; last != Detached || f.memory[0x600000] != 0 {
		t.Errorf("it ended with %v", last)
	}
}

// A client that connects and says nothing keeps no other out.
func TestSilentCallers(t *testing.T) {
	address, wait := debug(t, newFake(1))
	for range maxCallers - 1 {
		dial(t, address)
	}
	c := newClient(t, address)
	if got := c.ask("?"); got != "T05thread:1;" {
		t.Errorf("%q", got)
	}
	c.ask("D")
	wait()
}

// A gdb that asks and never reads is hung up on, and does not keep a run from ending that is told to.
func TestClientThatDoesNotRead(t *testing.T) {
	for name, patience := range map[string]time.Duration{"told to end": 100 * time.Millisecond, "left alone": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := net.Pipe() // without any buffer between the two
			s := &Server{arrived: make(chan struct{}, 1)}
			asked := strings.Repeat(frame("m600000,10"), 3)
			go func() { _, _ = io.WriteString(theirs, asked) }()
			s.hear(ours)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began := time.Now()
			how := s.Serve(ctx, newFake(1), Stop{})
			limit := patience + time.Second
			if patience > writePatience {
				limit = writePatience + time.Second
			}
			if took := time.Since(began); how.How == Continue || took > limit {
				t.Errorf("%+v after %v", how, took)
			}
			s.hangUp()
		})
	}
}

// A socket in the file system is for this user alone, and gone afterwards.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	s, err := Listen("unix:"+path, false)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := Listen("unix:"+path, false); err == nil {
		t.Error("two of them")
	}
	f := newFake(1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.Wait(t.Context()) == nil {
			f.run(t.Context(), s)
		}
	}()
	raw, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t, raw, bufio.NewReader(raw)}
	if got := c.ask("?"); got != "T05thread:1;" {
		t.Errorf("%q", got)
	}
	c.ask("D")
	<-done
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}
