package gdb

import (
	"fmt"
	"strings"
	"sync"
)

// The target description (gdb manual, G): features are sets of registers under names that gdb knows, with the registers
// that it expects in them (gdb manual, G.5.8, "i386 Features"). gdb takes others as they are.

type feature struct {
	name      string
	types     string
	registers []registerGroup
}

// A registerGroup is registers that have the same size and type.
type registerGroup struct {
	names []string
	bits  int
	kind  string
	group string // to which "info registers" and others refer; empty for gdb's own choice
}

func words(s string) []string { return strings.Fields(s) }

// features lists all registers in the order of the fields of [Registers].
var features = []feature{
	{"org.gnu.gdb.i386.core", flagsType("i386_eflags", 4, eflagsBits), []registerGroup{
		{words("rax rbx rcx rdx rsi rdi"), 64, "int64", ""},
		{words("rbp rsp"), 64, "data_ptr", ""},
		{words("r8 r9 r10 r11 r12 r13 r14 r15"), 64, "int64", ""},
		{words("rip"), 64, "code_ptr", ""},
		{words("eflags"), 32, "i386_eflags", ""},
		{words("cs ss ds es fs gs"), 32, "int32", ""},
		{words("st0 st1 st2 st3 st4 st5 st6 st7"), 80, "i387_ext", ""},
		{words("fctrl fstat ftag fiseg fioff foseg fooff fop"), 32, "int", "float"},
	}},
	{"org.gnu.gdb.i386.sse", flagsType("i386_mxcsr", 4, mxcsrBits) + vectorType, []registerGroup{
		{words("xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15"), 128, "vec128", ""},
		{words("mxcsr"), 32, "i386_mxcsr", "vector"},
	}},
	{"org.gnu.gdb.i386.segments", "", []registerGroup{
		{words("fs_base gs_base"), 64, "int64", ""},
	}},
	// These have no name that gdb knows; they are called as other machines call them.
	{"tacit.system", flagsType("cr0_flags", 8, cr0Bits) + flagsType("cr3_flags", 8, cr3Bits) + flagsType("cr4_flags", 8, cr4Bits) +
		flagsType("efer_flags", 8, eferBits), []registerGroup{
		{words("k_gs_base"), 64, "int64", "system"},
		{words("cr0"), 64, "cr0_flags", "system"},
		{words("cr2"), 64, "int64", "system"},
		{words("cr3"), 64, "cr3_flags", "system"},
		{words("cr4"), 64, "cr4_flags", "system"},
		{words("cr8"), 64, "int64", "system"},
		{words("efer"), 64, "efer_flags", "system"},
	}},
}

// Names of bits, from bit 0 on; "-" has none (SDM vol. 1, 3.4.3 and 10.2.3; vol. 3, 2.2.1 and 2.5).
const (
	eflagsBits = "CF - PF - AF - ZF SF TF IF DF OF - - NT - RF VM AC VIF VIP ID"
	mxcsrBits  = "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM - - FZ"
	cr0Bits    = "PE MP EM TS ET NE - - - - - - - - - - WP - AM - - - - - - - - - - NW CD PG"
	cr3Bits    = "- - - PWT PCD"
	cr4Bits    = "VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 VMXE SMXE - FSGSBASE PCIDE OSXSAVE KL SMEP SMAP PKE CET PKS UINTR"
	eferBits   = "SCE - - - - - - - LME - LMA NXE SVME LMSLE FFXSR TCE"
)

// flagsType describes a register whose bits have names.
func flagsType(id string, size int, bits string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<flags id=%q size=\"%d\">", id, size)
	for bit, name := range words(bits) {
		if name != "-" {
			fmt.Fprintf(&b, "<field name=%q start=\"%d\" end=\"%d\"/>", name, bit, bit)
		}
	}
	if id == "cr3_flags" {
		b.WriteString(`<field name="PDBR" start="12" end="63"/>`)
	}
	b.WriteString("</flags>\n")
	return b.String()
}

// vectorType is what an XMM register can be taken for; scripts know the names of the fields.
const vectorType = `<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128">
<field name="v4_float" type="v4f"/>
<field name="v2_double" type="v2d"/>
<field name="v16_int8" type="v16i8"/>
<field name="v8_int16" type="v8i16"/>
<field name="v4_int32" type="v4i32"/>
<field name="v2_int64" type="v2i64"/>
<field name="uint128" type="uint128"/>
</union>
`

// description is the whole document.
var description = sync.OnceValue(func() string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n<architecture>i386:x86-64</architecture>\n")
	for _, f := range features {
		fmt.Fprintf(&b, "<feature name=%q>\n%s", f.name, f.types)
		for _, g := range f.registers {
			for _, name := range g.names {
				fmt.Fprintf(&b, "<reg name=%q bitsize=\"%d\" type=%q", name, g.bits, g.kind)
				if g.group != "" {
					fmt.Fprintf(&b, " group=%q", g.group)
				}
				b.WriteString("/>\n")
			}
		}
		b.WriteString("</feature>\n")
	}
	b.WriteString("</target>\n")
	return b.String()
})
