package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/tacit-vm/tacit/image"
)

// fileDigest is the SHA-256 of a file, in hexadecimal; empty for what is no file, such as a directory or a disk. Of a disk that
// is only the changes to others it is the one of all their files, as [image.Checksum] has it. Progress, of the first one, may be
// nil.
func fileDigest(ctx context.Context, path string, progress func(read, size int64)) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	below, err := image.Below(file, path)
	if err != nil {
		return "", err
	}
	defer func() {
		for _, f := range below {
			f.Close()
		}
	}()
	tell := func(read int64) {
		if progress != nil {
			progress(read, info.Size())
		}
	}
	var sums []string
	for _, f := range append([]*os.File{file}, below...) {
		sum, err := digestOf(ctx, f, tell)
		if err != nil {
			return "", err
		}
		sums, tell = append(sums, sum), func(int64) {}
	}
	return image.Checksum(sums), nil
}

// digestOf is the SHA-256 of what can be read, in hexadecimal.
func digestOf(ctx context.Context, r io.Reader, tell func(read int64)) (string, error) {
	hash, buffer := sha256.New(), make([]byte, 1<<20)
	for read := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.Read(buffer)
		hash.Write(buffer[:n])
		read += int64(n)
		tell(read)
		if err == io.EOF {
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
