package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A whole file is written next to its place, and is there only when it is complete.
type whole struct {
	io.Writer
	file *os.File // nil where there is nothing to be put in place
	path string
}

// createWhole opens a file for output before the run, so that a wrong path is known then; - is stdout. An empty path
// takes nothing.
func createWhole(path string, stdout io.Writer) (*whole, error) {
	switch path {
	case "":
		return &whole{Writer: io.Discard}, nil
	case "-":
		return &whole{Writer: stdout}, nil
	}
	// What is no file, such as a device or a pipe, must not be replaced by one.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	// Not os.CreateTemp, whose files only their owner can read.
	file, err := os.OpenFile(fmt.Sprintf("%s.%d.part", path, os.Getpid()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &whole{file, file, path}, nil
}

// keep puts the file in its place.
func (w *whole) keep() error {
	if w.file == nil {
		return nil
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), w.path); err != nil {
		return err
	}
	w.file = nil
	return nil
}

// discard removes what was not kept.
func (w *whole) discard() {
	if w.file != nil {
		_ = w.file.Close() // what is removed need not be complete
		_ = os.Remove(w.file.Name())
	}
}
