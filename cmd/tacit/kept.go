package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/record"
)

// kept is the file of boots that are not to be run again. It grows line by line: unlike what else is written, it is there
// to survive what ends the process.
type kept struct {
	file  *os.File
	saved *study.Saved
}

// openKept opens the file, and makes it where there is none. Without a path nothing is kept.
func openKept(ctx context.Context, path string, stderr io.Writer) (k kept, err error) {
	if path == "" {
		return k, nil
	}
	program, err := programDigest()
	if err != nil {
		return k, fmt.Errorf("--resume: which program this is cannot be told: %w", err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return k, fmt.Errorf("--resume %s: not a regular file", path)
	}
	if k.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666); err != nil {
		return k, err
	}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if err := unix.Flock(int(k.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errors.New("another tacit keeps its boots there")
		}
		return k, fmt.Errorf("--resume %s: %w", path, err)
	}
	if info, err := k.file.Stat(); err == nil && info.Size() > study.MaxSaved {
		return k, fmt.Errorf("--resume %s: larger than %s, which is more than boots take", path, record.FormatBytes(study.MaxSaved))
	}
	if k.saved, err = study.Load(ctx, k.file, program); err != nil {
		return k, fmt.Errorf("--resume %s: %w", path, err)
	}
	if n := k.saved.Damaged; n > 0 {
		fmt.Fprintf(stderr, "tacit: %s: lines that are not whole, or not tacit's: %d; what they had is run again\n", record.Printable(path), n)
	}
	return k, nil
}

func (k kept) close() {
	if k.file != nil {
		_ = k.file.Close() // every line has been written in one piece, and its error returned
	}
}

// programDigest tells this program from every other: by its bytes, since a version does not change with the sources.
func programDigest() (string, error) {
	file, err := os.Open("/proc/self/exe") // also where the file has been replaced since
	if err != nil {
		path, err := os.Executable()
		if err != nil {
			return "", err
		}
		if file, err = os.Open(path); err != nil {
			return "", err
		}
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
