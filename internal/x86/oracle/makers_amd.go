package oracle

import (
	"slices"
	"strings"
)

// amdDifferences is what AMD's processors do otherwise than Intel's. It was seen on a Zen 4 (family 19h, model 11h); APM
// is the AMD64 Architecture Programmer's Manual.
var amdDifferences = []makerDifference{
	// Which bytes are touched, and what is asked of them.
	{exclusion{"SHA1*, SHA256* with a misaligned operand", "Intel's raise #GP(0) where it is not aligned to 16 bytes, AMD's do not"}, amendSHA},
	{exclusion{"MOVUPS, MOVUPD, MOVDQU, LDDQU, PCMP?STR? with AC set", "whether operands of 16 bytes that need not be aligned raise #AC is up to the processor: Intel's do not, AMD's do"}, amendUnaligned},
	{exclusion{"MOVSXD of 16 bits", "AMD reads four bytes of the operand, Intel two"}, amendMOVSXD},
	{exclusion{"operands through FS and GS whose offset is no canonical address, but whose sum is", "AMD raises #GP(0), Intel looks at the sum only"}, amendOffset},
	{exclusion{"XSAVE and kin of areas that cannot be accessed, or are misaligned", "AMD looks at the whole area, also at parts that are not stored or loaded, and at its alignment first"}, amendArea},

	// Which of several faults comes first, and what has been done by then.
	{exclusion{"x87 stores that would raise an unmasked exception, to where nothing can be stored", "AMD raises the fault of memory first, Intel has the x87 exception pending and stores nothing"}, amendX87Store},
	{exclusion{"MMX stores that fault", "Intel has moved the top of the x87 stack to 0 by then, AMD has not"}, amendMMXStore},
	{exclusion{"CALL to an address that is not canonical", "Intel has stored the return address by then, AMD has not"}, amendCALL},
	{exclusion{"RETF and IRET that fault", "AMD reads all that may be popped, in the width of the operand, before it looks at selectors; the error code of a selector that is refused differs, too"}, amendFarReturn},
	{exclusion{"repeated CMPS and SCAS that fault in the middle", "AMD's flags are those of the last comparison, Intel's those from before the instruction"}, amendRepeatedCompare},
	{exclusion{"CMPS whose operands both fault", "AMD reads RSI's side first, Intel RDI's"}, amendCompareOrder},

	// Encodings.
	{exclusion{"90 with REX.B after F3", "AMD: XCHG R8, RAX; Intel: PAUSE"}, amendPAUSE},
	{exclusion{"undefined instructions of more than 15 bytes", "AMD: #GP(0), for the length; Intel: #UD"}, amendTooLong},
	{exclusion{"near branches with prefix 66", "AMD: an operand of 16 bits, as APM vol. 3 has it; Intel ignores the prefix"}, amendNear16},
	{exclusion{"0F 0D with a register", "AMD: #UD, for want of a memory operand; Intel: NOP"}, amendPrefetch},

	// Results.
	{exclusion{"FPREM, FPREM1 of a denormal by infinity, with underflow unmasked", "AMD raises underflow, of a result that is the operand; Intel does not"}, amendRemainder},
	{exclusion{"INT1's return address", "seen in a virtual machine, whose hypervisor takes #DB first: RIP is still in front"}, amendINT1},

	// What later instructions may have worked on; these come last, so that nothing else is put down to them.
	{exclusion{"repeated string instructions with 32-bit addresses that do nothing", "Intel clears the upper halves of the registers all the same, AMD leaves them alone"}, amendNoRepetition},
	{exclusion{"DPPS, DPPD of NaNs", "which of several NaNs the sum has depends on its order, which is up to the processor"}, amendDotProduct},
}

func amendSHA(m *meeting) {
	x := m.operation(&m.ours)
	if x.is("SHA1RNDS4 SHA1NEXTE SHA1MSG1 SHA1MSG2 SHA256RNDS2 SHA256MSG1 SHA256MSG2") && x.isMem && x.linear%16 != 0 && m.ours.Vector == vectorGP {
		m.fault()
	}
}

func amendUnaligned(m *meeting) {
	x := m.operation(m.silicon)
	unaligned := "MOVUPS MOVUPD MOVDQU LDDQU PCMPESTRM PCMPESTRI PCMPISTRM PCMPISTRI"
	if x.is(unaligned) && x.isMem && x.linear%16 != 0 && m.silicon.Vector == vectorAC && m.silicon.Flags&flagAC != 0 {
		m.fault()
	}
}

func amendMOVSXD(m *meeting) {
	x := m.operation(m.silicon)
	if x == nil || x.name != "MOVSXD r16, r/m16" || !x.isMem {
		return
	}
	switch m.silicon.Vector {
	case vectorPF:
		if at := m.silicon.CR2 - x.linear; at >= 2 && at < 4 {
			m.fault()
		}
	case vectorAC:
		if x.linear%4 == 2 {
			m.fault()
		}
	}
}

func amendOffset(m *meeting) {
	x := m.operation(m.silicon)
	if x != nil && x.isMem && x.seg != 0 && !canonical(x.effective) && canonical(x.linear) && m.silicon.Vector == vectorGP && m.silicon.Code == 0 {
		m.fault()
	}
}

func canonical(address uint64) bool { return uint64(int64(address<<16)>>16) == address }

func amendArea(m *meeting) {
	x := m.operation(m.silicon)
	if x == nil || x.form == nil || !strings.HasPrefix(x.mnemonic, "XSAVE") && !strings.HasPrefix(x.mnemonic, "XRSTOR") {
		return
	}
	switch m.silicon.Vector {
	case vectorPF:
		if at := m.silicon.CR2&^63 - x.linear; at < uint64(x.memory) {
			m.fault()
		}
	case vectorGP:
		if x.linear%64 != 0 && (m.ours.Vector == vectorAC || m.ours.Vector == vectorSS) {
			m.fault()
		}
	}
}

func amendX87Store(m *meeting) {
	const masks = 0x3F
	x := m.operation(m.silicon)
	if x.is("FST FSTP FIST FISTP FISTTP FBSTP") && x.isMem && m.silicon.faulted() && m.silicon.Vector != vectorMF && m.silicon.X87.FCW&masks != masks {
		m.fault()
	}
}

func amendMMXStore(m *meeting) {
	x := m.operation(m.silicon)
	if x == nil || !x.isMem || !slices.Contains([]string{"MOVD r/m32, mm", "MOVD r/m64, mm", "MOVQ mm/m64, mm", "MOVNTQ m64, mm"}, x.name) {
		return
	}
	if !m.silicon.faulted() || !m.ours.faulted() || m.ours.RIP != m.silicon.RIP {
		return
	}
	const top = 7 << 11
	by := int(m.silicon.X87.FSW-m.ours.X87.FSW) & top >> 11
	st := m.ours.X87.ST
	for i := range st {
		m.ours.X87.ST[i] = st[(i+by)%8]
	}
	m.ours.X87.FSW = m.ours.X87.FSW&^top | m.silicon.X87.FSW&top
}

func amendCALL(m *meeting) {
	x := m.operation(m.silicon)
	if x == nil || x.name != "CALL r/m64" || m.silicon.Vector != vectorGP || m.ours.Vector != vectorGP {
		return
	}
	at := m.silicon.GPR[rsp] - 8 - arenaBase
	m.ours.Arena = slices.Clone(m.ours.Arena)
	for i := range uint64(8) {
		if at+i < arenaSize {
			m.ours.Arena[at+i] = m.silicon.Arena[at+i]
		}
	}
}

func amendFarReturn(m *meeting) {
	x := m.operation(m.silicon)
	if !x.is("RETF IRET IRETD IRETQ") || !m.silicon.faulted() {
		return
	}
	if m.ours.faulted() && m.ours.RIP == m.silicon.RIP {
		m.fault()
		return
	}
	// The interpreter has not looked at bytes that AMD reads: those of a selector's word beyond the selector.
	if at := m.silicon.CR2 - m.silicon.GPR[rsp]; m.silicon.Vector == vectorPF && at < 5*8 {
		m.concede()
	}
}

func amendRepeatedCompare(m *meeting) {
	x := m.operation(m.silicon)
	if x.is("CMPSB CMPSW CMPSD CMPSQ SCASB SCASW SCASD SCASQ") && x.rep != 0 && m.silicon.faulted() && uint32(m.silicon.GPR[rcx]) != uint32(m.In.GPR[rcx]) {
		m.ours.Flags = m.ours.Flags&^arithmeticFlags | m.silicon.Flags&arithmeticFlags
	}
}

func amendCompareOrder(m *meeting) {
	x := m.operation(m.silicon)
	if x.is("CMPSB CMPSW CMPSD CMPSQ") && m.silicon.faulted() && m.ours.faulted() {
		m.fault()
	}
}

func amendNoRepetition(m *meeting) {
	for _, x := range m.operations(m.silicon) {
		if !x.addr32 || x.rep == 0 || x.form == nil || preparations[x.mnemonic] == nil || len(x.opcode) != 1 {
			continue
		}
		for _, r := range []int{rcx, rsi, rdi} {
			if upper := m.In.GPR[r] >> 32; m.silicon.GPR[r]>>32 == upper && m.ours.GPR[r]>>32 == 0 {
				m.ours.GPR[r] |= upper << 32
			}
		}
		if uint32(m.In.GPR[rcx]) == 0 {
			m.concedeAfter(x)
		}
	}
}

func amendPAUSE(m *meeting) {
	for _, x := range m.operations(m.silicon) {
		if x.name != "PAUSE" || x.rex&1 == 0 {
			continue
		}
		if !x.last {
			m.concede()
			return
		}
		a, b := m.ours.GPR[rax], m.ours.GPR[8]
		switch {
		case x.rex&8 != 0:
			m.ours.GPR[rax], m.ours.GPR[8] = b, a
		case x.data16:
			m.ours.GPR[rax], m.ours.GPR[8] = a&^0xFFFF|b&0xFFFF, b&^0xFFFF|a&0xFFFF
		default:
			m.ours.GPR[rax], m.ours.GPR[8] = b&0xFFFF_FFFF, a&0xFFFF_FFFF
		}
	}
}

func amendNear16(m *meeting) {
	for _, x := range m.operations(m.silicon) {
		near := x.opcode[0]&^1 == 0xC2 || x.is("CALL JMP") || x.name == "FF/2" || x.name == "FF/4" // the last two in the sweep
		if near && x.data16 && x.rex&8 == 0 {
			m.concede()
		}
	}
}

func amendTooLong(m *meeting) {
	x := m.operation(m.silicon)
	if x != nil && x.end-x.at > 15 && m.silicon.Vector == vectorGP && m.silicon.Code == 0 && m.ours.Vector == vectorUD {
		m.fault()
	}
}

func amendPrefetch(m *meeting) {
	x := m.operation(m.silicon)
	if x != nil && slices.Equal(x.opcode, []byte{0x0F, 0x0D}) && m.Code[len(m.Code)-1] >= 0xC0 && m.silicon.Vector == vectorUD {
		m.concede()
	}
}

func amendDotProduct(m *meeting) {
	for _, x := range m.operations(m.silicon) {
		lane := 32
		switch {
		case x.is("DPPD"):
			lane = 64
		case !x.is("DPPS"):
			continue
		}
		for r := range m.ours.XMM {
			for i := range m.ours.XMM[r] {
				for shift := 0; shift < 64; shift += lane {
					mask := ^uint64(0) >> (64 - lane) << shift
					a, b := m.silicon.XMM[r][i]&mask, m.ours.XMM[r][i]&mask
					if isNaN(a>>shift, lane) && isNaN(b>>shift, lane) {
						m.ours.XMM[r][i] = m.ours.XMM[r][i]&^mask | a
					}
				}
			}
		}
		m.concedeAfter(x)
	}
}

func isNaN(v uint64, bits int) bool {
	if bits == 32 {
		return v&0x7FFF_FFFF > 0x7F80_0000
	}
	return v&^(1<<63) > 0x7FF0_0000_0000_0000
}

func amendRemainder(m *meeting) {
	const underflow = 1 << 4
	for _, x := range m.operations(m.silicon) {
		if x.is("FPREM FPREM1") && m.silicon.X87.FSW&underflow != 0 && (m.ours.X87.FSW|m.ours.X87.FCW)&underflow == 0 {
			m.concede()
		}
	}
}

func amendINT1(m *meeting) {
	x := m.operation(m.silicon)
	if x != nil && slices.Equal(x.opcode, []byte{0xF1}) && m.silicon.Vector == vectorDB && m.ours.Vector == vectorDB && m.ours.RIP <= x.end {
		m.ours.RIP = x.at
	}
}
