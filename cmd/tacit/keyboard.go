package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// A keyboard passes on what is typed, but for its own commands: they begin with Ctrl-A, as QEMU's do.
type keyboard struct {
	keys     chan []byte // closed at the end of the input
	quit     func()      // Ctrl-A x
	restore  func()      // makes the terminal what it was
	patience bool        // what comes in can wait until the guest reads: it is a file
	end      []byte      // what the guest is sent at the end of the input
}

const (
	keyboardHelp = "Ctrl-A x ends the run, Ctrl-A Ctrl-A sends Ctrl-A"

	escapeKey = 'A' - '@' // Ctrl-A
	endKey    = 'D' - '@' // Ctrl-D
	quitKey   = 'x'
)

// openKeyboard reads in until its end. Where that is a terminal, it passes on every key at once and shows none, until
// restore is called. The guest is sent end when its input ends.
func openKeyboard(in io.Reader, end []byte, quit func()) (*keyboard, error) {
	k := &keyboard{keys: make(chan []byte, 64), end: end, quit: quit, restore: func() {}, patience: true}
	if file, ok := in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		was, err := term.MakeRaw(int(file.Fd()))
		if err != nil {
			return nil, err
		}
		k.restore = func() { _ = term.Restore(int(file.Fd()), was) } // nothing else can be tried
		k.patience = false
	}
	go k.read(in)
	return k, nil
}

// read passes keys on. It ends with its input, or with the process; nothing else can end it.
func (k *keyboard) read(in io.Reader) {
	defer close(k.keys)
	escaped := false
	for {
		b := make([]byte, 256)
		n, err := in.Read(b)
		var typed []byte
		typed, escaped = k.commands(b[:n], escaped)
		k.pass(typed)
		if err != nil {
			k.pass(k.end)
			return
		}
	}
}

// pass hands keys to the machine. Those of a person who has typed far ahead are lost: the next may be Ctrl-A.
func (k *keyboard) pass(typed []byte) {
	if len(typed) == 0 {
		return
	}
	if k.patience {
		k.keys <- typed
		return
	}
	select {
	case k.keys <- typed:
	default:
	}
}

// commands does what the keys after Ctrl-A ask for and returns the others. Escaped says that the last key was Ctrl-A.
func (k *keyboard) commands(b []byte, escaped bool) (typed []byte, stillEscaped bool) {
	for _, v := range b {
		switch {
		case !escaped && v == escapeKey:
			escaped = true
			continue
		case escaped && v == quitKey:
			k.quit()
		case !escaped, v == escapeKey:
			typed = append(typed, v)
		}
		escaped = false
	}
	return typed, escaped
}
