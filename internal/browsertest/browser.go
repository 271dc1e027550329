// Package browsertest shows pages to a headless Chromium, for tests: Debian's package chromium, which scripts/install-tools
// installs. It speaks the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) through a pair of pipes,
// as JSON with a zero byte after each message.
package browsertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience is how long a browser may take to answer. It is generous: a test must not fail because the machine is busy.
const patience = 2 * time.Minute

// A Browser is a running Chromium with a profile of its own.
type Browser struct {
	t     testing.TB
	write *os.File

	mu       sync.Mutex
	last     int
	answers  map[int]chan message
	sessions map[string]*Page
	closed   error
}

// message is a command, its answer, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Start starts a browser, which ends with the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: scripts/install-tools installs it", err)
	}
	toBrowser, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir(), "--no-first-run", "--disable-gpu",
		"--hide-scrollbars", "--disable-extensions", "--disable-component-update", "--disable-background-networking",
		"--force-color-profile=srgb",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // it refuses root otherwise; the pages are our own
	}
	cmd := exec.Command(path, append(args, "about:blank")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // descriptors 3 and 4, as the browser expects them
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	b := &Browser{t: t, write: write, answers: map[int]chan message{}, sessions: map[string]*Page{}}
	done := make(chan struct{})
	go func() { defer close(done); b.listen(read) }()
	t.Cleanup(func() {
		_, gone := b.call("", "Browser.close", nil)
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		write.Close()
		read.Close()
		<-done
		if gone != nil { // what it says is worth reading only then: much of it is about what a server does not have
			t.Errorf("%v; it said: %s", gone, stderr.Bytes())
		}
	})
	return b
}

// listen hands answers and events to those who wait for them.
func (b *Browser) listen(read *os.File) {
	r := bufio.NewReader(read)
	for {
		text, err := r.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(text[:len(text)-1], &m)
		}
		b.mu.Lock()
		if err != nil {
			b.closed = fmt.Errorf("the browser ended: %w", err)
			for _, answer := range b.answers {
				close(answer)
			}
			b.mu.Unlock()
			return
		}
		answer, page := b.answers[m.ID], b.sessions[m.Session]
		delete(b.answers, m.ID)
		if answer == nil && page != nil {
			page.happened(m)
		}
		b.mu.Unlock()
		if answer != nil {
			answer <- m
		}
	}
}

// call has the browser do something, and returns what it answers.
func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	encoded, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	if params == nil {
		encoded = nil
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	b.last++
	m := message{ID: b.last, Session: session, Method: method, Params: encoded}
	b.answers[m.ID] = answer
	closed := b.closed
	b.mu.Unlock()
	if closed != nil {
		return nil, closed
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if _, err := b.write.Write(append(text, 0)); err != nil {
		return nil, err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return nil, errors.New("the browser ended")
		case m.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		return m.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer in %v", method, patience)
	}
}
