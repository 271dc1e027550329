//go:build amd64 && (linux || darwin)

package x86

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"

	"github.com/tacit-vm/tacit/internal/x86/codemem"
	"github.com/tacit-vm/tacit/internal/x86/translate"
)

// enterCode runs code at an address until it returns, with the processor's state where code expects it, and returns what
// is in R14 then.
//
//go:noescape
func enterCode(c *CPU, code uintptr) (exit uint64)

// TranslatorAvailable says why this process cannot run a machine under [EngineTranslator]; nil means that it can.
func TranslatorAvailable() error { return translatorAvailable() }

// translatorAvailable tries what a translator needs of the host: whether memory can be executed is a matter of the
// process's rights.
var translatorAvailable = sync.OnceValue(func() error {
	m, err := codemem.New(64 << 10)
	if err != nil {
		return err
	}
	return m.Close()
})

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

var codeLayout = func() translate.Layout {
	var (
		c CPU
		e tlbEntry
		f fetchEntry
		j jumpEntry
		b block
	)
	if unsafe.Sizeof(e) != 32 || unsafe.Sizeof(f) != 32 || unsafe.Sizeof(j) != 16 ||
		unsafe.Sizeof(c.seg[0]) != 16 || unsafe.Offsetof(c.seg[0].Selector) != 0 {
		panic("BUG: entries are not of the sizes that code counts on")
	}
	native := unsafe.Offsetof(c.native)
	return translate.Layout{
		R: int32(unsafe.Offsetof(c.R)), X: int32(unsafe.Offsetof(c.X)),
		Flags: int32(native + unsafe.Offsetof(c.native.flags)), Left: int32(native + unsafe.Offsetof(c.native.left)),
		Spill: int32(native + unsafe.Offsetof(c.native.spill)), Mode: int32(unsafe.Offsetof(c.mode)),

		Rest: int32(unsafe.Offsetof(c.rest)), CPL: int32(unsafe.Offsetof(c.cpl)), Selectors: int32(unsafe.Offsetof(c.seg)),
		KernelGSBase: int32(unsafe.Offsetof(c.msr) + unsafe.Offsetof(c.msr.kernelGSBase)),
		Shadow:       int32(unsafe.Offsetof(c.shadow)), ShadowSS: int32(unsafe.Offsetof(c.shadowSS)),
		End: int32(native + unsafe.Offsetof(c.native.end)), Waiting: int32(native + unsafe.Offsetof(c.native.waiting)),

		Data: int32(unsafe.Offsetof(c.tlb) + unsafe.Offsetof(c.tlb.cur)), DataBits: tlbBits,
		Read: int32(unsafe.Offsetof(e.read)), Write: int32(unsafe.Offsetof(e.write)), Page: int32(unsafe.Offsetof(e.page)), Unbacked: unbackedBit,

		Fetch: int32(native + unsafe.Offsetof(c.native.fetch)), FetchBits: fetchBits,
		FetchTag: int32(unsafe.Offsetof(f.tag)), FetchFrame: int32(unsafe.Offsetof(f.frame)),

		Jumps: int32(unsafe.Offsetof(c.jumps)), JumpBits: jumpBits,
		JumpRIP: int32(unsafe.Offsetof(j.rip)), JumpBlock: int32(unsafe.Offsetof(j.b)),

		BlockFrame: int32(unsafe.Offsetof(b.frame)), BlockMode: int32(unsafe.Offsetof(b.mode)),
		BlockCode: int32(unsafe.Offsetof(b.made) + unsafe.Offsetof(b.made.code)),
	}
}()
