// Package inside looks after unaccepted memory from inside a Linux guest: it reads what the kernel's books say of it, and
// has the kernel accept some of it now, at a pace.
//
// Facts about the files read here are from Linux 6.12: fs/proc/meminfo.c, mm/vmstat.c, drivers/base/memory.c,
// drivers/firmware/efi/efi.c.
package inside

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// pageSize is in bytes, of the pages that /proc/vmstat and /proc/zoneinfo count. All confidential guests are x86-64.
const pageSize = 4096

// maxFile is as much as is read of a file of the kernel's, in bytes: /proc/zoneinfo of many nodes and processors is long.
const maxFile = 16 << 20

// ErrNoSupport is returned for a kernel whose books have no line for unaccepted memory: one before 6.5, or one that was
// built without CONFIG_UNACCEPTED_MEMORY.
var ErrNoSupport = errors.New("this kernel keeps no books on unaccepted memory (/proc/meminfo has no line Unaccepted): " +
	"it is older than 6.5, or was built without CONFIG_UNACCEPTED_MEMORY")

// Books are what a kernel says of its memory at one moment, in bytes.
type Books struct {
	Total      uint64 // what the kernel manages
	Free       uint64 // what is in no use; unaccepted memory is among it
	Available  uint64 // what programs could have without swapping, by the kernel's estimate; unaccepted memory is among it
	Unaccepted uint64
}

// readBooks reads /proc/meminfo below root. The error is [ErrNoSupport] where it says nothing of unaccepted memory; the
// other fields are good then, too.
func readBooks(root fs.FS) (b Books, err error) {
	text, err := read(root, "proc/meminfo")
	if err != nil {
		return b, err
	}
	support := false
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		field := map[string]*uint64{
			"MemTotal": &b.Total, "MemFree": &b.Free, "MemAvailable": &b.Available, "Unaccepted": &b.Unaccepted,
		}[name]
		if field == nil {
			continue
		}
		kib, unit, _ := strings.Cut(strings.TrimSpace(rest), " ")
		n, err := strconv.ParseUint(kib, 10, 54) // in bytes, 64 bits
		if err != nil || unit != "kB" {
			return b, fmt.Errorf("/proc/meminfo: %q is no amount of memory in kB", strings.TrimSpace(line))
		}
		*field = n << 10
		support = support || name == "Unaccepted"
	}
	if b.Total == 0 {
		return b, errors.New("/proc/meminfo has no line MemTotal")
	}
	if !support {
		return b, ErrNoSupport
	}
	return b, nil
}

// read returns what is in a file of the kernel's, which has no size before it is read.
func read(root fs.FS, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxFile)
	}
	return string(bytes.TrimRight(b, "\n")), err
}

// number reads a file that is one number.
func number(root fs.FS, name string, base int) (uint64, error) {
	text, err := read(root, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(text), base, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}
