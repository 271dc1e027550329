//go:build linux || darwin

package x86

import (
	"golang.org/x/sys/cpu"

	"github.com/tacit-vm/tacit/internal/x86/translate"
)

func newGenerator() generator { return translate.New(codeLayout, host) }

// runCode runs code until it leaves.
func (c *CPU) runCode(code uintptr) uint64 {
	c.native.flags = c.flags.packed()
	e := enterCode(c, code)
	c.flags.unpack(c.native.flags)
	return e
}

var host = translate.Host{
	ADX: cpu.X86.HasADX, BMI1: cpu.X86.HasBMI1, BMI2: cpu.X86.HasBMI2, POPCNT: cpu.X86.HasPOPCNT,
	SSSE3: cpu.X86.HasSSSE3, SSE41: cpu.X86.HasSSE41, SSE42: cpu.X86.HasSSE42, AES: cpu.X86.HasAES, PCLMUL: cpu.X86.HasPCLMULQDQ,
	SHA: hasSHA(),
}

// hasSHA says whether CPUID leaf 7 has SHA (EBX bit 29), which the library does not tell.
func hasSHA() bool {
	highest, _ := hostCPUID(0, 0)
	_, ebx := hostCPUID(7, 0)
	return highest >= 7 && ebx>>29&1 != 0
}

func hostCPUID(leaf, subleaf uint32) (eax, ebx uint32)
