package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Moves and integer operations on XMM slots. Floating point is left to the interpreter, which defines it bit for bit.

// xmmForm says what else an operation has.
type xmmForm uint8

const (
	xmmTwo   xmmForm = iota // destination and source
	xmmImm                  // and an immediate
	xmmAlone                // destination and immediate
	xmmWith0                // destination, source, and slot 0, which the instruction wants in XMM0
)

// xmmFeature is what the host needs for an instruction.
type xmmFeature uint8

const (
	sse2 xmmFeature = iota
	ssse3
	sse41
	sse42
	aesni
	pclmul
	sha
)

func (h *Host) has(f xmmFeature) bool {
	return [...]bool{sse2: true, ssse3: h.SSSE3, sse41: h.SSE41, sse42: h.SSE42, aesni: h.AES, pclmul: h.PCLMUL, sha: h.SHA}[f]
}

type xmmOp struct {
	op   amd64.Op
	form xmmForm
	need xmmFeature
}

// xmmOps do on 16 bytes what the instruction of that name does.
var xmmOps = map[uop.Op]xmmOp{
	uop.PAND: {amd64.PAND, xmmTwo, sse2}, uop.PANDN: {amd64.PANDN, xmmTwo, sse2}, uop.POR: {amd64.POR, xmmTwo, sse2},
	uop.PXOR: {amd64.PXOR, xmmTwo, sse2}, uop.PADDB: {amd64.PADDB, xmmTwo, sse2}, uop.PADDW: {amd64.PADDW, xmmTwo, sse2},
	uop.PADDD: {amd64.PADDD, xmmTwo, sse2}, uop.PADDQ: {amd64.PADDQ, xmmTwo, sse2}, uop.PSUBB: {amd64.PSUBB, xmmTwo, sse2},
	uop.PSUBW: {amd64.PSUBW, xmmTwo, sse2}, uop.PSUBD: {amd64.PSUBD, xmmTwo, sse2}, uop.PSUBQ: {amd64.PSUBQ, xmmTwo, sse2},
	uop.PADDSB: {amd64.PADDSB, xmmTwo, sse2}, uop.PADDSW: {amd64.PADDSW, xmmTwo, sse2}, uop.PADDUSB: {amd64.PADDUSB, xmmTwo, sse2},
	uop.PADDUSW: {amd64.PADDUSW, xmmTwo, sse2}, uop.PSUBSB: {amd64.PSUBSB, xmmTwo, sse2}, uop.PSUBSW: {amd64.PSUBSW, xmmTwo, sse2},
	uop.PSUBUSB: {amd64.PSUBUSB, xmmTwo, sse2}, uop.PSUBUSW: {amd64.PSUBUSW, xmmTwo, sse2}, uop.PAVGB: {amd64.PAVGB, xmmTwo, sse2},
	uop.PAVGW: {amd64.PAVGW, xmmTwo, sse2}, uop.PMINUB: {amd64.PMINUB, xmmTwo, sse2}, uop.PMINSW: {amd64.PMINSW, xmmTwo, sse2},
	uop.PMAXUB: {amd64.PMAXUB, xmmTwo, sse2}, uop.PMAXSW: {amd64.PMAXSW, xmmTwo, sse2}, uop.PCMPEQB: {amd64.PCMPEQB, xmmTwo, sse2},
	uop.PCMPEQW: {amd64.PCMPEQW, xmmTwo, sse2}, uop.PCMPEQD: {amd64.PCMPEQD, xmmTwo, sse2}, uop.PCMPGTB: {amd64.PCMPGTB, xmmTwo, sse2},
	uop.PCMPGTW: {amd64.PCMPGTW, xmmTwo, sse2}, uop.PCMPGTD: {amd64.PCMPGTD, xmmTwo, sse2}, uop.PMULLW: {amd64.PMULLW, xmmTwo, sse2},
	uop.PMULHW: {amd64.PMULHW, xmmTwo, sse2}, uop.PMULHUW: {amd64.PMULHUW, xmmTwo, sse2}, uop.PMULUDQ: {amd64.PMULUDQ, xmmTwo, sse2},
	uop.PMADDWD: {amd64.PMADDWD, xmmTwo, sse2}, uop.PSADBW: {amd64.PSADBW, xmmTwo, sse2}, uop.PSRLW: {amd64.PSRLW, xmmTwo, sse2},
	uop.PSRLD: {amd64.PSRLD, xmmTwo, sse2}, uop.PSRLQ: {amd64.PSRLQ, xmmTwo, sse2}, uop.PSRAW: {amd64.PSRAW, xmmTwo, sse2},
	uop.PSRAD: {amd64.PSRAD, xmmTwo, sse2}, uop.PSLLW: {amd64.PSLLW, xmmTwo, sse2}, uop.PSLLD: {amd64.PSLLD, xmmTwo, sse2},
	uop.PSLLQ: {amd64.PSLLQ, xmmTwo, sse2}, uop.PUNPCKLBW: {amd64.PUNPCKLBW, xmmTwo, sse2}, uop.PUNPCKLWD: {amd64.PUNPCKLWD, xmmTwo, sse2},
	uop.PUNPCKLDQ: {amd64.PUNPCKLDQ, xmmTwo, sse2}, uop.PUNPCKLQDQ: {amd64.PUNPCKLQDQ, xmmTwo, sse2}, uop.PUNPCKHBW: {amd64.PUNPCKHBW, xmmTwo, sse2},
	uop.PUNPCKHWD: {amd64.PUNPCKHWD, xmmTwo, sse2}, uop.PUNPCKHDQ: {amd64.PUNPCKHDQ, xmmTwo, sse2}, uop.PUNPCKHQDQ: {amd64.PUNPCKHQDQ, xmmTwo, sse2},
	uop.PACKSSWB: {amd64.PACKSSWB, xmmTwo, sse2}, uop.PACKSSDW: {amd64.PACKSSDW, xmmTwo, sse2}, uop.PACKUSWB: {amd64.PACKUSWB, xmmTwo, sse2},
	uop.PSHUFD: {amd64.PSHUFD, xmmImm, sse2}, uop.PSHUFHW: {amd64.PSHUFHW, xmmImm, sse2}, uop.PSHUFLW: {amd64.PSHUFLW, xmmImm, sse2},
	uop.SHUFPS: {amd64.SHUFPS, xmmImm, sse2}, uop.SHUFPD: {amd64.SHUFPD, xmmImm, sse2},
	uop.PSRLWImm: {amd64.PSRLWimm, xmmAlone, sse2}, uop.PSRLDImm: {amd64.PSRLDimm, xmmAlone, sse2}, uop.PSRLQImm: {amd64.PSRLQimm, xmmAlone, sse2},
	uop.PSRAWImm: {amd64.PSRAWimm, xmmAlone, sse2}, uop.PSRADImm: {amd64.PSRADimm, xmmAlone, sse2}, uop.PSLLWImm: {amd64.PSLLWimm, xmmAlone, sse2},
	uop.PSLLDImm: {amd64.PSLLDimm, xmmAlone, sse2}, uop.PSLLQImm: {amd64.PSLLQimm, xmmAlone, sse2},
	uop.PSRLDQ: {amd64.PSRLDQ, xmmAlone, sse2}, uop.PSLLDQ: {amd64.PSLLDQ, xmmAlone, sse2},

	uop.PSHUFB: {amd64.PSHUFB, xmmTwo, ssse3}, uop.PHADDW: {amd64.PHADDW, xmmTwo, ssse3}, uop.PHADDD: {amd64.PHADDD, xmmTwo, ssse3},
	uop.PHADDSW: {amd64.PHADDSW, xmmTwo, ssse3}, uop.PMADDUBSW: {amd64.PMADDUBSW, xmmTwo, ssse3}, uop.PHSUBW: {amd64.PHSUBW, xmmTwo, ssse3},
	uop.PHSUBD: {amd64.PHSUBD, xmmTwo, ssse3}, uop.PHSUBSW: {amd64.PHSUBSW, xmmTwo, ssse3}, uop.PSIGNB: {amd64.PSIGNB, xmmTwo, ssse3},
	uop.PSIGNW: {amd64.PSIGNW, xmmTwo, ssse3}, uop.PSIGND: {amd64.PSIGND, xmmTwo, ssse3}, uop.PMULHRSW: {amd64.PMULHRSW, xmmTwo, ssse3},
	uop.PABSB: {amd64.PABSB, xmmTwo, ssse3}, uop.PABSW: {amd64.PABSW, xmmTwo, ssse3}, uop.PABSD: {amd64.PABSD, xmmTwo, ssse3},
	uop.PALIGNR: {amd64.PALIGNR, xmmImm, ssse3},
	uop.PMULDQ:  {amd64.PMULDQ, xmmTwo, sse41}, uop.PCMPEQQ: {amd64.PCMPEQQ, xmmTwo, sse41}, uop.PACKUSDW: {amd64.PACKUSDW, xmmTwo, sse41},
	uop.PMINSB: {amd64.PMINSB, xmmTwo, sse41}, uop.PMINSD: {amd64.PMINSD, xmmTwo, sse41}, uop.PMINUW: {amd64.PMINUW, xmmTwo, sse41},
	uop.PMINUD: {amd64.PMINUD, xmmTwo, sse41}, uop.PMAXSB: {amd64.PMAXSB, xmmTwo, sse41}, uop.PMAXSD: {amd64.PMAXSD, xmmTwo, sse41},
	uop.PMAXUW: {amd64.PMAXUW, xmmTwo, sse41}, uop.PMAXUD: {amd64.PMAXUD, xmmTwo, sse41}, uop.PMULLD: {amd64.PMULLD, xmmTwo, sse41},
	uop.PHMINPOSUW: {amd64.PHMINPOSUW, xmmTwo, sse41},
	uop.PBLENDW:    {amd64.PBLENDW, xmmImm, sse41}, uop.BLENDPS: {amd64.BLENDPS, xmmImm, sse41}, uop.BLENDPD: {amd64.BLENDPD, xmmImm, sse41},
	uop.PCMPGTQ: {amd64.PCMPGTQ, xmmTwo, sse42},
	uop.AESENC:  {amd64.AESENC, xmmTwo, aesni}, uop.AESENCLAST: {amd64.AESENCLAST, xmmTwo, aesni}, uop.AESDEC: {amd64.AESDEC, xmmTwo, aesni},
	uop.AESDECLAST: {amd64.AESDECLAST, xmmTwo, aesni}, uop.AESIMC: {amd64.AESIMC, xmmTwo, aesni},
	uop.PCLMULQDQ: {amd64.PCLMULQDQ, xmmImm, pclmul},
	uop.SHA1NEXTE: {amd64.SHA1NEXTE, xmmTwo, sha}, uop.SHA1MSG1: {amd64.SHA1MSG1, xmmTwo, sha}, uop.SHA1MSG2: {amd64.SHA1MSG2, xmmTwo, sha},
	uop.SHA256MSG1: {amd64.SHA256MSG1, xmmTwo, sha}, uop.SHA256MSG2: {amd64.SHA256MSG2, xmmTwo, sha},
	uop.SHA1RNDS4:   {amd64.SHA1RNDS4, xmmImm, sha},
	uop.SHA256RNDS2: {amd64.SHA256RNDS2, xmmWith0, sha},
}

// xmmOp finds u's operation, if the host has it.
func (g *Generator) xmmOp(u *uop.Uop) (xmmOp, bool) {
	x, ok := xmmOps[u.Op]
	return x, ok && g.host.has(x.need)
}

// vector emits operations on XMM slots.
func (g *Generator) vector(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.LoadX32, uop.LoadX64, uop.LoadX128, uop.LoadX128A:
		n := xmmBytes[u.Op]
		g.spill()
		g.address(u, tmpA)
		if u.Op == uop.LoadX128A {
			g.aligned(k)
		}
		g.reach(u, g.layout.Read, n, g.leaving(k))
		d := g.newXMM(u.Dst, noXMM)
		if n == 16 {
			g.RegRM(amd64.MOVDQU, 8, d, amd64.At(tmpA, 0))
		} else {
			g.RegRM(amd64.MOVD, n, d, amd64.At(tmpA, 0)) // clears the rest
		}
		g.putXMM(k, u.Dst, d)
	case uop.StoreX32, uop.StoreX64, uop.StoreX128, uop.StoreX128A:
		g.spill()
		v := g.getXMM(u.Src, noXMM)
		g.address(u, tmpA)
		if u.Op == uop.StoreX128A {
			g.aligned(k)
		}
		g.storeXMM(k, u, v)
	case uop.MovX:
		v := g.getXMM(u.Src, noXMM)
		d := g.newXMM(u.Dst, v)
		g.RegRM(amd64.MOVDQU, 8, d, amd64.R(v))
		g.putXMM(k, u.Dst, d)
	case uop.MOVQ:
		v := g.getXMM(u.Src, noXMM)
		d := g.newXMM(u.Dst, v)
		g.RegRM(amd64.MOVQ, 8, d, amd64.R(v))
		g.putXMM(k, u.Dst, d)
	case uop.MOVSDLow:
		g.copyQuad(u, 0, 0)
	case uop.MOVHLPS:
		g.copyQuad(u, 0, 1)
	case uop.MOVLHPS:
		g.copyQuad(u, 1, 0)
	case uop.MovXFromR32, uop.MovXFromR64:
		d := g.newXMM(u.Dst, noXMM)
		g.RegRM(amd64.MOVD, 4<<(u.Op-uop.MovXFromR32), d, g.slot(u.Src))
		g.putXMM(k, u.Dst, d)
	case uop.MovRFromX32, uop.MovRFromX64:
		d, put := g.dst(u.Dst, false)
		g.RegRM(amd64.MOV, 4<<(u.Op-uop.MovRFromX32), d, g.xmm(u.Src, 0))
		put()
	default:
		x, ok := g.xmmOp(u)
		if !ok {
			return 0, false
		}
		g.onXMM(k, x, u)
	}
	return goesOn, true
}

// xmmBytes says how many bytes loads and stores are of.
var xmmBytes = map[uop.Op]int{
	uop.LoadX32: 4, uop.LoadX64: 8, uop.LoadX128: 16, uop.LoadX128A: 16, uop.StoreX32: 4, uop.StoreX64: 8, uop.StoreX128: 16, uop.StoreX128A: 16,
}

// storeXMM stores the low bytes of v to the address in tmpA: zeros over zeros not, where the page has no backing, as
// [Generator.store] does.
func (g *Generator) storeXMM(k int, u *uop.Uop, v amd64.Reg) {
	n, done := xmmBytes[u.Op], g.Label()
	miss := func(entry amd64.Reg) amd64.Label {
		out := g.leaveAt(k)
		return g.later(func() {
			g.Imm(amd64.BTCimm, 8, amd64.R(tmpA), int32(g.layout.Unbacked))
			g.Imm(amd64.CMPimm, 8, amd64.R(tmpA), int32(pageSize-n))
			g.Jcc(amd64.A, out)
			g.RegRM(amd64.ADD, 8, tmpA, amd64.At(entry, g.layout.Page))
			for q := int32(0); q < int32(n); q += 8 {
				for _, o := range []amd64.Operand{amd64.At(tmpA, q), g.xmm(u.Src, q/8)} {
					g.addImm(amd64.CMPimm, min(n, 8), o, 0)
					g.Jcc(amd64.NE, out)
				}
			}
			g.Jmp(done)
		})
	}
	g.reach(u, g.layout.Write, n, miss)
	if n == 16 {
		g.RegRM(amd64.MOVDQUto, 8, v, amd64.At(tmpA, 0))
	} else {
		g.RegRM(amd64.MOVDto, n, v, amd64.At(tmpA, 0))
	}
	g.Bind(done)
}

// copyQuad makes quadword to of the destination the source's quadword from.
func (g *Generator) copyQuad(u *uop.Uop, to, from int32) {
	g.RegRM(amd64.MOV, 8, tmpA, g.xmm(u.Src, from))
	g.RegRM(amd64.MOVto, 8, tmpA, g.xmm(u.Dst, to))
	g.dropXMM(u.Dst)
}

// aligned leaves where the address in tmpA is not a multiple of 16.
func (g *Generator) aligned(k int) {
	g.Imm(amd64.TESTimm, 4, amd64.R(tmpA), 15)
	g.Jcc(amd64.NE, g.leaveAt(k))
}

func (g *Generator) onXMM(k int, x xmmOp, u *uop.Uop) {
	kept, _ := g.copies.find(u.Src) // an operand that has just been loaded is nowhere else
	d := g.getXMM(u.Dst, kept)
	switch x.form {
	case xmmAlone:
		g.Imm(x.op, 8, amd64.R(d), int32(uint8(u.Imm)))
	case xmmImm:
		g.RegRMImm(x.op, 8, d, amd64.R(g.getXMM(u.Src, d)), int32(uint8(u.Imm)))
	default:
		if x.form == xmmWith0 {
			g.RegRM(amd64.MOVDQU, 8, xmm0, g.xmm(0, 0))
		}
		g.RegRM(x.op, 8, d, amd64.R(g.getXMM(u.Src, d)))
	}
	g.putXMM(k, u.Dst, d)
}
