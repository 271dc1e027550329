//go:build linux || darwin

package x86

import "github.com/tacit-vm/tacit/internal/x86/translatearm"

func newGenerator() generator { return translatearm.New(codeLayout) }

// runCode runs code until it leaves. Code has the arithmetic flags as the interpreter does.
func (c *CPU) runCode(code uintptr) uint64 { return enterCode(c, code) }
