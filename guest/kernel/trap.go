//go:build linux && amd64

package kernel

// serveTrap serves an exception. What it does not know how to serve is the end.
//
//lint:ignore U1000 entry_amd64.s calls it
func serveTrap(f *frame, fx uint64) {
	p := processorHere()
	if f.cs&3 == 0 {
		k.trap(p, f, fx)
		return
	}
	if f.vector == vectorLook {
		k.interrupted(vectorLook)
		k.glance(p)
		return
	}
	k.acquire(p)
	k.trap(p, f, fx)
	k.goBack(p)
}

func (k *kernel) trap(p *processor, f *frame, fx uint64) {
	_, _, _, _, kept := addressOf()
	address := uint64(0)
	switch f.vector {
	case vectorPF:
		if address = readCR2(); k.fault(p, address, f) {
			return
		}
	case vectorVE:
		if k.serveVE(f) {
			return
		}
	case vectorVC:
		if k.serveVC(f) {
			return
		}
	default:
		if f.vector >= firstInterrupt && k.timer.perMS != 0 {
			k.interrupted(f.vector)
			if f.cs&3 != 0 {
				k.keep(p, f, fx)
				jump(p.stack, kept)
			}
			return
		}
	}
	if f.cs&3 != 0 && k.raise(k.keep(p, f, fx), f, address) {
		jump(p.stack, kept)
	}
	k.explain(f, address)
	k.fail()
}

var vectorNames = [32]string{
	0: "#DE, division", 1: "#DB, debug", 2: "NMI", 3: "#BP, breakpoint", 4: "#OF, overflow", 5: "#BR, bound", 6: "#UD, undefined instruction",
	7: "#NM, no x87", 8: "#DF, double fault", 10: "#TS, task state segment", 11: "#NP, segment not present", 12: "#SS, stack segment",
	13: "#GP, general protection", 14: "#PF, page fault", 16: "#MF, x87", 17: "#AC, alignment check", 18: "#MC, machine check", 19: "#XM, SIMD",
	20: "#VE, virtualization exception", 21: "#CP, control protection", 28: "#HV, hypervisor injection", 29: "#VC, VMM communication", 30: "#SX, security",
}

// explain prints what happened, for people.
func (k *kernel) explain(f *frame, va uint64) {
	k.alone()
	k.lineStart()
	k.puts("guest: ")
	if f.vector < 32 && vectorNames[f.vector] != "" {
		k.puts(vectorNames[f.vector])
	} else {
		k.puts("interrupt ")
		k.hex(f.vector)
	}
	k.puts(" (error code ")
	k.hex(f.code)
	k.puts(") at ")
	k.hex(f.ip)
	if f.cs&3 == 0 {
		k.puts(", in the kernel")
	} else {
		k.puts(", in the program")
	}
	if f.vector == vectorPF {
		k.puts(": address ")
		k.hex(va)
		switch {
		case va < pageSize:
			k.puts(", a nil pointer")
		case va >= directMap:
			k.puts(", the kernel's")
		case k.space.find(va).kind == reserved:
			k.puts(", reserved and not to be touched")
		case k.space.find(va).kind == free:
			k.puts(", not mapped")
		}
	}
	k.puts("\n")
	r := [...]uint64{f.ax, f.bx, f.cx, f.dx, f.si, f.di, f.bp, f.sp, f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15}
	for i := range r {
		k.puts(registerNames[i])
		k.puts("=")
		k.hex(r[i])
		if i%4 == 3 {
			k.puts("\n")
		} else {
			k.puts(" ")
		}
	}
}

var registerNames = [16]string{"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

// processorHere returns the processor that executes this. Until its tables are loaded that is the first one.
func processorHere() *processor {
	if !k.loaded {
		return &k.first
	}
	return (*processor)(pointer(gsSelf()))
}

func gsSelf() uint64
