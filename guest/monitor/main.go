//go:build linux && amd64

// Command monitor is the kernel of a guest whose program is another: an ordinary executable, which package guest/efi
// puts into the image after it. This binary's own main never runs.
package main

import _ "github.com/tacit-vm/tacit/guest/kernel"

func main() {}
