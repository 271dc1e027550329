package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// fileDigest is the SHA-256 of a file, in hexadecimal; empty for what is no file, such as a directory or a disk.
// Progress may be nil.
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
	hash, buffer := sha256.New(), make([]byte, 1<<20)
	for read := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := file.Read(buffer)
		hash.Write(buffer[:n])
		read += int64(n)
		if progress != nil {
			progress(read, info.Size())
		}
		if err == io.EOF {
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
