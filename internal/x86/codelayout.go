package x86

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/hostcode"
)

// codeLayout tells what makes machine code where the processor's state is.
var codeLayout = func() hostcode.Layout {
	var (
		c CPU
		e tlbEntry
		f fetchEntry
		j jumpEntry
		b block

		segment Segment
	)
	if unsafe.Offsetof(segment.Attr) != 2 || unsafe.Offsetof(segment.Limit) != 4 || unsafe.Offsetof(segment.Base) != 8 {
		panic("BUG: a segment register is not laid out as code counts on")
	}
	if unsafe.Sizeof(e) != 32 || unsafe.Sizeof(f) != 32 || unsafe.Sizeof(j) != 16 ||
		unsafe.Sizeof(c.seg[0]) != 16 || unsafe.Offsetof(c.seg[0].Selector) != 0 {
		panic("BUG: entries are not of the sizes that code counts on")
	}
	native := unsafe.Offsetof(c.native)
	return hostcode.Layout{
		R: int32(unsafe.Offsetof(c.R)), X: int32(unsafe.Offsetof(c.X)),
		Flags: int32(native + unsafe.Offsetof(c.native.flags)), Left: int32(native + unsafe.Offsetof(c.native.left)),
		Spill: int32(native + unsafe.Offsetof(c.native.spill)), Mode: int32(unsafe.Offsetof(c.mode)),

		Rest: int32(unsafe.Offsetof(c.rest)), CPL: int32(unsafe.Offsetof(c.cpl)), Selectors: int32(unsafe.Offsetof(c.seg)),
		KernelGSBase: int32(unsafe.Offsetof(c.msr) + unsafe.Offsetof(c.msr.kernelGSBase)),
		Shadow:       int32(unsafe.Offsetof(c.shadow)), ShadowSS: int32(unsafe.Offsetof(c.shadowSS)),
		End: int32(native + unsafe.Offsetof(c.native.end)), Waiting: int32(native + unsafe.Offsetof(c.native.waiting)),

		Data: int32(unsafe.Offsetof(c.tlb) + unsafe.Offsetof(c.tlb.cur)), DataBits: tlbBits,
		Read: int32(unsafe.Offsetof(e.read)), Write: int32(unsafe.Offsetof(e.write)), Page: int32(unsafe.Offsetof(e.page)), Where: int32(unsafe.Offsetof(e.where)), Unbacked: unbackedBit,

		Fetch: int32(native + unsafe.Offsetof(c.native.fetch)), FetchBits: fetchBits,
		FetchTag: int32(unsafe.Offsetof(f.tag)), FetchFrame: int32(unsafe.Offsetof(f.frame)),

		Jumps: int32(unsafe.Offsetof(c.jumps)), JumpBits: jumpBits,
		JumpRIP: int32(unsafe.Offsetof(j.rip)), JumpBlock: int32(unsafe.Offsetof(j.b)),

		Quick: quickLayout(&c),

		BlockFrame: int32(unsafe.Offsetof(b.frame)), BlockMode: int32(unsafe.Offsetof(b.mode)),
		BlockCode: int32(unsafe.Offsetof(b.made) + unsafe.Offsetof(b.made.code)),
	}
}()

func quickLayout(c *CPU) hostcode.Quick {
	msr, tlb := unsafe.Offsetof(c.msr), unsafe.Offsetof(c.tlb)
	data, fetch := tlb+unsafe.Offsetof(c.tlb.data), tlb+unsafe.Offsetof(c.tlb.fetch)
	return hostcode.Quick{
		EFER: int32(unsafe.Offsetof(c.efer)), STAR: int32(msr + unsafe.Offsetof(c.msr.star)),
		LSTAR: int32(msr + unsafe.Offsetof(c.msr.lstar)), FMASK: int32(msr + unsafe.Offsetof(c.msr.fmask)),
		NewTF: int32(unsafe.Offsetof(c.newTF)), WatchUser: int32(unsafe.Offsetof(c.watch) + unsafe.Offsetof(c.watch.user)), Rest: existingFlags &^ FlagVM,
		KernelData: int32(data + modeKernel*unsafe.Sizeof(c.tlb.data[0])), UserData: int32(data + modeUser*unsafe.Sizeof(c.tlb.data[0])),
		KernelFetch: int32(fetch), UserFetch: int32(fetch + unsafe.Sizeof(c.tlb.fetch[0])),
		Code: flatCS | segLong, Stack: flatSS,
	}
}
