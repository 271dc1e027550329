package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tacit-vm/tacit/record"
)

var errNotRegular = errors.New("not a regular file")

// openRegular opens a file and says how many bytes it has. What is no file, such as a pipe, might never end, or never
// begin.
func openRegular(path string) (*os.File, int64, error) {
	if path == "" {
		return nil, 0, errors.New("the name of a file is empty")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: %w", path, errNotRegular)
	}
	file, err := os.Open(path)
	return file, info.Size(), err
}

// readRegular reads a file that has at most so many bytes.
func readRegular(path string, most int64) ([]byte, error) {
	file, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > most {
		return nil, fmt.Errorf("%s: larger than %s", path, record.FormatBytes(uint64(most)))
	}
	b, err := io.ReadAll(io.LimitReader(file, most+1)) // it may grow
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case int64(len(b)) > most:
		return nil, fmt.Errorf("%s: larger than %s", path, record.FormatBytes(uint64(most)))
	}
	return b, nil
}
