package x86

import (
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// deliver requests interrupts before the program starts, IF as in flags.
func deliver(flags uint64, vectors ...uint8) func(*scene) {
	return func(m *scene) {
		m.from.RFLAGS |= flags
		for _, v := range vectors {
			m.APIC.Deliver(v, false)
		}
	}
}

// SDM vol. 3, 6.8: when interrupts are let in.
func TestInterruptFlag(t *testing.T) {
	inc := "FF C0" // inc eax
	prove(t,
		program{name: "IF set, one pending: before the first instruction", code: asm("|", inc), setup: deliver(FlagIF, irq), want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "STI lets one more instruction pass", code: asm("FB", inc, "|", inc), setup: deliver(0, irq), want: interrupted(irq, reg{uop.RAX, 1})},
		program{name: "STI after STI lets one pass, too", code: asm("FB FB", "|", inc), setup: deliver(0, irq), want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "STI, CLI: nothing gets in", code: asm("FB FA", inc, "F4"), setup: deliver(0, irq), want: halts(reg{uop.RAX, 1})},
		program{name: "STI with IF set already has no shadow", code: asm("FB", inc, "F4"), setup: func(m *scene) {
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(1) // due after STI
			m.mark = m.start + 1
		}, want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "POPF lets in at once", code: asm("68 02 02 00 00 9D", "|", inc), setup: deliver(0, irq), want: interrupted(irq, reg{uop.RAX, 0})}, // push 0x202; popfq
		program{name: "IRET lets in at once", code: asm(pushIRET(selData, progSP, 2|FlagIF, selCode, progCode+27), "48 CF", "|", inc), setup: deliver(0, irq), want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "MOV SS lets one more pass", code: asm(movImm(uop.RBX, selData), "8E D3", inc, "|", inc), setup: func(m *scene) { // mov ss, ebx
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(1) // due in front of MOV SS at the latest … which is the second instruction
			m.mark = m.start + 10
		}, want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "MOV SS, due after it", code: asm(movImm(uop.RBX, selData), "8E D3", inc, "|", inc), setup: func(m *scene) {
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(2)
		}, want: interrupted(irq, reg{uop.RAX, 1})},
		program{name: "LSS has no shadow", code: asm("48 0F B2 24 25", le(progData, 4), "|", inc), setup: func(m *scene) { // lss rsp, [progData]
			m.write(progData, progSP, selData)
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(1)
		}, want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "an exception ends the shadow", code: asm("FB", "0F 0B"), setup: func(m *scene) { // sti; ud2
			m.gate(uop.VectorUD, progFree, 0x8F00) // a trap gate: IF stays
			m.put(progFree, []byte{0xFF, 0xC0, 0xF4})
			deliver(0, irq)(m)
			m.mark = progFree
		}, want: interrupted(irq, reg{uop.RAX, 0})},
		program{name: "CLI and STI by a user program", user: true, code: asm("|FA"), want: raises(uop.VectorGP, 0)},
		program{name: "STI by a user program", user: true, code: asm("|FB"), want: raises(uop.VectorGP, 0)},
		program{name: "CLI by a user program with IOPL 3", user: true, code: asm("FA", "CD 40"), setup: func(m *scene) { m.from.RFLAGS |= iopl | FlagIF }, want: inUser(progUser+1, func(t *testing.T, m *scene, c caught) {
			if c.flags&FlagIF != 0 {
				t.Errorf("flags %#x", c.flags)
			}
		})},
		program{name: "POPF by a user program leaves IF and IOPL, silently", user: true, code: asm("68 02 30 00 00 9D 9C 58", "CD 40"), setup: func(m *scene) { m.from.RFLAGS |= FlagIF }, // push 0x3002; popfq; pushfq; pop rax
			want: inUser(progUser+8, func(t *testing.T, m *scene, _ caught) { m.wantRegs(t, reg{uop.RAX, 2 | FlagIF}) })},
		program{name: "a user program is interrupted whatever its IOPL", user: true, code: asm("EB FE"), setup: func(m *scene) {
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(100)
			m.mark = progUser
		}, want: func(t *testing.T, m *scene, e Exit) {
			interrupted(irq)(t, m, e)
			if m.Instructions() != 101 { // 100, and HLT in the handler
				t.Errorf("%d instructions", m.Instructions())
			}
		}},
	)
}

// STI and HLT are one as far as interrupts are concerned, at whatever moment one comes: a kernel that halts so is never
// left asleep.
func TestNoInterruptBetweenSTIAndHLT(t *testing.T) {
	for ns := uint64(1); ns <= 6; ns++ {
		prove(t, program{name: fmt.Sprintf("timer in %d ns", ns), code: asm("90 90", "FB F4", "|90"), // nop; nop; sti; hlt
			setup: func(m *scene) { m.APIC.startTimerIn(ns) }, want: interrupted(irq)})
	}
}

// SDM vol. 2, HLT: the saved address is that of the instruction after it.
func TestHalt(t *testing.T) {
	prove(t,
		program{name: "an interrupt ends it", code: asm("F4", "|90"), setup: func(m *scene) {
			m.from.RFLAGS |= FlagIF
			m.APIC.startTimerIn(5000)
		}, want: func(t *testing.T, m *scene, e Exit) {
			interrupted(irq)(t, m, e)
			if m.Now() != 5001 || m.Instructions() != 2 {
				t.Errorf("at %d ns, %d instructions", m.Now(), m.Instructions())
			}
		}},
		program{name: "with IF clear it does not end", code: asm("F4"), setup: func(m *scene) { m.APIC.startTimerIn(50) }, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitHalted || m.RIP() != m.start+1 || !m.APIC.pending() {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
		program{name: "by a user program", user: true, code: asm("|F4"), want: raises(uop.VectorGP, 0)},
	)
}

// SDM vol. 3, 11.8: which of several interrupts is taken, and what holds one back.
func TestInterruptPriority(t *testing.T) {
	tpr := func(class uint64) string { return asm(movImm(uop.RBX, class), "44 0F 22 C3") } // mov cr8, rbx
	prove(t,
		program{name: "the highest vector first", code: asm("|90"), setup: deliver(FlagIF, 0x51, 0x61, 0x60), want: interrupted(0x61)},
		program{name: "TPR holds its class back", code: asm(tpr(6), "FB 90 90", "F4"), setup: deliver(0, 0x61), want: halts()},
		program{name: "TPR lets the next class in", code: asm(tpr(5), "FB 90", "|90"), setup: deliver(0, 0x61), want: interrupted(0x61)},
		program{name: "lowering TPR lets in at once", code: asm(tpr(6), "FB 90", tpr(0), "|90"), setup: deliver(0, 0x61), want: interrupted(0x61)},
		program{name: "CR8 above 15", code: asm(movImm(uop.RBX, 16), "|44 0F 22 C3"), want: raises(uop.VectorGP, 0)},
		program{name: "CR8 by a user program", user: true, code: asm("|44 0F 20 C0"), want: raises(uop.VectorGP, 0)},
		program{name: "CR8 is bits 7:4 of TPR", code: asm(wrmsr(apicTPR, 0x9F), "44 0F 20 C3", tpr(5), rdmsr(apicTPR), "F4"), want: halts(reg{uop.RBX, 5}, reg{uop.RAX, 0x50})},
		program{name: "what is in service holds its class back, and EOI lets go", code: asm("FB 90 90", "|90"), setup: func(m *scene) { // the handler of 0x61 stores how far things are, lets interrupts in, ends the interrupt
			deliver(0, 0x61, 0x62, 0x71)(m)
			m.handler(0x71, progFree, asm("FF 04 25", le(progData, 4), "50 51 52", wrmsr(apicEOI, 0), "5A 59 58", "48 CF")) // inc dword; push; push; push; wrmsr; pops; iretq
			m.handler(0x62, progFree+0x100, asm("FB 90 8B 04 25", le(progData, 4), "F4"))                                   // sti; nop; mov eax, [progData]; hlt
			m.mark = progCode + 2
		}, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitHalted || m.RIP() != progFree+0x100+10 || m.R[uop.RAX] != 1 {
				t.Fatalf("exit %v at %#x, RAX %d", e, m.RIP(), m.R[uop.RAX])
			}
			if m.word(m.R[uop.RSP]) != m.mark {
				t.Errorf("0x62 interrupted %#x", m.word(m.R[uop.RSP]))
			}
			if irr, _ := m.APIC.ReadMSR(apicIRR + 3); irr != 1<<1 {
				t.Errorf("IRR %#x, want 0x61 waiting for 0x62", irr)
			}
			if isr, _ := m.APIC.ReadMSR(apicISR + 3); isr != 1<<2 {
				t.Errorf("ISR %#x", isr)
			}
			if ppr, _ := m.APIC.ReadMSR(apicPPR); ppr != 0x60 {
				t.Errorf("PPR %#x", ppr)
			}
		}},
	)
}

// SDM vol. 3, 11.6 and 11.12: interrupts that the program sends to itself.
func TestSelfInterrupts(t *testing.T) {
	const pad = "90" // nop
	id := func(m *scene) { m.from.RFLAGS |= FlagIF }
	prove(t,
		program{name: "SELF IPI", code: asm(wrmsr(apicSelfIPI, irq), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "shorthand self", code: asm(wrmsr(apicICR, 1<<18|irq), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "shorthand all", code: asm(wrmsr(apicICR, 2<<18|irq), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "shorthand all but self", code: asm(wrmsr(apicICR, 3<<18|irq), pad, "FA F4"), setup: id, want: halts()},
		program{name: "by physical identifier", code: asm(wrmsr(apicICR, 0<<32|irq), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "to somebody else", code: asm(wrmsr(apicICR, 1<<32|irq), pad, "FA F4"), setup: id, want: halts()},
		program{name: "by logical identifier", code: asm(wrmsr(apicICR, 1<<32|1<<11|irq), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "broadcast", code: asm(wrmsr(apicICR, 0xFFFF_FFFF<<32|irq), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "illegal vector", code: asm(wrmsr(apicICR, 1<<18|15), rdmsr(apicESR), "89 C3", wrmsr(apicESR, 0), rdmsr(apicESR), "FA F4"), setup: id, // mov ebx, eax
			want: halts(reg{uop.RBX, 0}, reg{uop.RAX, apicSendIllegal})},
		program{name: "an error may interrupt", code: asm(wrmsr(apicError, irq), wrmsr(apicSelfIPI, 3), "|", pad), setup: id, want: interrupted(irq)},
		program{name: "a controller that is not enabled takes nothing", code: asm(wrmsr(apicSVR, 0xFF), wrmsr(apicSelfIPI, irq), pad, "FA F4"), setup: id, want: halts()},
		program{name: "every delivery mode of a local interrupt can be written", code: asm(wrmsr(apicLINT0, 1<<16|7<<8|irq), rdmsr(apicLINT0), "F4"), want: halts(reg{uop.RAX, 1<<16 | 7<<8 | irq})},
		program{name: "… and has its local interrupts masked", code: asm(wrmsr(apicTimer, irq), wrmsr(apicSVR, 0xFF), rdmsr(apicTimer), "F4"), want: halts(reg{uop.RAX, irq | apicLVTMask})},
	)
}

// SDM vol. 3, 11.8.5: the end of a level-triggered interrupt is told to the I/O APICs, that of an edge-triggered one is
// not.
func TestEndOfInterruptBroadcast(t *testing.T) {
	run := func(level bool) (told []uint8) {
		var heard []uint8
		prove(t, program{name: fmt.Sprintf("level %v", level), code: asm("|90"), setup: func(m *scene) {
			heard = nil
			m.from.RFLAGS |= FlagIF
			m.APIC.OnEOI(func(v uint8) { heard = append(heard, v) })
			m.APIC.Deliver(irq, level)
			m.handler(irq, progFree, asm(rdmsr(apicTMR+irq/32), "89 C3", wrmsr(apicEOI, 0), wrmsr(apicEOI, 0), "F4")) // mov ebx, eax; the second EOI ends nothing
		}, want: func(t *testing.T, m *scene, e Exit) {
			var tmr uint64
			if level {
				tmr = 1 << (irq % 32)
			}
			m.wantRegs(t, reg{uop.RBX, tmr})
			told = heard
		}})
		return told
	}
	if told := run(true); len(told) != 1 || told[0] != irq {
		t.Errorf("the end of a level-triggered interrupt: heard %v", told)
	}
	if told := run(false); len(told) != 0 {
		t.Errorf("the end of an edge-triggered interrupt: heard %v", told)
	}
}

// SDM vol. 3, 11.5.4: the timer fires at the instruction at which its time is up, whatever runs.
func TestTimerIsExact(t *testing.T) {
	const loop = "FF C0 EB FC" // 1: inc eax; jmp 1
	const tick = 1_000_000_000 / APICTimerHz
	on := func(m *scene) { m.from.RFLAGS |= FlagIF }
	// The count starts when WRMSR of the initial count, instruction n (from 0), is executed: at n ns. After it come
	// one MOV-free loop of two instructions a turn.
	fires := func(at uint64, before uint64) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			if c := m.caught(t, e); c.vector != irq {
				t.Fatalf("got %+v", c)
			}
			if m.Now() != int64(at)+1 { // HLT in the handler
				t.Errorf("the handler ran at %d ns, want %d", m.Now()-1, at)
			}
			m.wantRegs(t, reg{uop.RAX, (at - before + 1) / 2})
		}
	}
	clear := "31 C0" // xor eax, eax
	prove(t,
		program{name: "one shot", code: asm(wrmsr(apicTimer, irq), wrmsr(apicDivide, 0xB), wrmsr(apicInitial, 100), clear, loop), setup: on, want: fires(11+100*tick, 13)},
		program{name: "divided by two", code: asm(wrmsr(apicTimer, irq), wrmsr(apicDivide, 0), wrmsr(apicInitial, 100), clear, loop), setup: on, want: fires(11+200*tick, 13)},
		program{name: "divided by 128", code: asm(wrmsr(apicTimer, irq), wrmsr(apicDivide, 0xA), wrmsr(apicInitial, 1), clear, loop), setup: on, want: fires(11+128*tick, 13)},
		program{name: "TSC deadline", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 777), clear, loop), setup: on, want: fires(777, 9)},
		program{name: "TSC deadline in the past", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 1), "|90"), setup: on, want: interrupted(irq)},
		program{name: "TSC deadline and a TSC that is moved", code: asm(wrmsr(MSRTSCAdjust, 1_000_000), wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 1_000_500), clear, loop), setup: on, want: fires(500, 13)},
		program{name: "a TSC that is moved after it", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 1_000_500), wrmsr(MSRTSCAdjust, 1_000_000), clear, loop), setup: on, want: fires(500, 13)},
		program{name: "a deadline taken back", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 500), wrmsr(MSRTSCDeadline, 0), rdmsr(MSRTSCDeadline), "F4"), setup: on, want: halts(reg{uop.RAX, 0})},
		program{name: "leaving deadline mode disarms", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 500), wrmsr(apicTimer, irq), "F4"), setup: on, want: halts()},
		program{name: "entering deadline mode disarms", code: asm(wrmsr(apicTimer, irq), wrmsr(apicInitial, 10), wrmsr(apicTimer, irq|apicDeadline), "F4"), setup: on, want: halts()},
		program{name: "a deadline that is all ones never comes", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, ^uint64(0)), rdmsr(MSRTSCDeadline), "F4"), setup: on, want: halts(reg{uop.RAX, 0xFFFF_FFFF}, reg{uop.RDX, 0xFFFF_FFFF})},
		program{name: "in deadline mode the initial count is ignored", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 777), wrmsr(apicInitial, 5), rdmsr(apicInitial), "89 C3", clear, loop), setup: on, want: func(t *testing.T, m *scene, e Exit) {
			fires(777, 15+1)(t, m, e)
			m.wantRegs(t, reg{uop.RBX, 0})
		}},
		program{name: "the mode that is reserved counts nothing", code: asm(wrmsr(apicTimer, irq|apicDeadline|apicPeriodic), wrmsr(apicInitial, 10), wrmsr(MSRTSCDeadline, 100), rdmsr(apicCurrent), "F4"), setup: on, want: halts(reg{uop.RAX, 0})},
		program{name: "a deadline does not outlive its mode", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 500), wrmsr(apicTimer, irq|apicDeadline|apicPeriodic), "F4"), setup: on, want: halts()},
		program{name: "outside deadline mode the MSR is ignored", code: asm(wrmsr(MSRTSCDeadline, 500), rdmsr(MSRTSCDeadline), "F4"), setup: on, want: halts(reg{uop.RAX, 0})},
		program{name: "masked, it fires unheard", code: asm(wrmsr(apicTimer, irq|apicLVTMask), wrmsr(apicInitial, 1), "F4"), setup: on, want: halts()},
		program{name: "the count of a stopped timer", code: asm(wrmsr(apicInitial, 0), rdmsr(apicCurrent), "F4"), want: halts(reg{uop.RAX, 0})},
		program{name: "the count falls at each tick", code: asm(wrmsr(apicTimer, apicLVTMask|irq), wrmsr(apicDivide, 0xB), wrmsr(apicInitial, 100), rdmsr(apicCurrent), "89 C3", // mov ebx, eax
			"B9", le(2*tick, 4), "E2 FE", // mov ecx, …; loop $
			rdmsr(apicCurrent), "F4"), want: halts(reg{uop.RBX, 100}, reg{uop.RAX, 98})},
		program{name: "reaching the deadline in the middle of a long run", code: asm(wrmsr(apicTimer, irq|apicDeadline), wrmsr(MSRTSCDeadline, 12_345), clear, loop), setup: on, want: fires(12_345, 9)},
	)
}

// A periodic timer keeps its beat however long handlers take and however long the processor sleeps.
func TestPeriodicTimer(t *testing.T) {
	const tick = 1_000_000_000 / APICTimerHz
	code := asm(wrmsr(apicTimer, irq|apicPeriodic), wrmsr(apicDivide, 0xB), wrmsr(apicInitial, 50), "FB F4 EB FC") // 1: sti; hlt; jmp 1
	prove(t, program{name: "four periods", code: code, setup: func(m *scene) {
		// The handler stores the time, and halts for good at the fourth.
		m.handler(irq, progFree, asm("50 51 52", "0F 31", "8B 1C 25", le(progData, 4), "89 04 9D", le(progData+8, 4), // rdtsc; mov ebx, [n]; mov [list + 4 rbx], eax
			"FF 04 25", le(progData, 4), "83 FB 03 74", "16", wrmsr(apicEOI, 0), "5A 59 58", "48 CF", "F4")) // inc dword [n]; cmp ebx, 3; je end
	}, want: func(t *testing.T, m *scene, e Exit) {
		if e.Kind != ExitHalted || m.word(progData)&0xFFFF_FFFF != 4 {
			t.Fatalf("exit %v after %d", e, m.word(progData))
		}
		first := m.word(progData+8) & 0xFFFF_FFFF
		if first != 11+50*tick+3 { // three pushes
			t.Errorf("the first at %d ns", first)
		}
		for i := range uint64(4) {
			at := m.word(progData+8+i*4) & 0xFFFF_FFFF
			// A period ends while the processor sleeps, so every handler starts on the beat.
			if at != first+i*50*tick {
				t.Errorf("number %d at %d ns, want %d", i, at, first+i*50*tick)
			}
		}
	}})
}
