//go:build linux && amd64

package kernel

// serveSyscall serves a system call of the thread that runs.
//
//lint:ignore U1000 entry_amd64.s calls it
func serveSyscall() {
	p := processorHere()
	k.acquire(p)
	t := k.current(p)
	t.full = false
	k.syscalls++
	t.call = t.frame.ax
	k.serve(p, t)
	if t.state != running && t == k.current(p) { // a yield has done it
		k.dispatch(p)
	}
	k.leave(p)
	k.goBack(p)
}

// serve does what the present thread asks for: about itself and its memory here, about files in serveFile.
func (k *kernel) serve(p *processor, t *thread) {
	f := &t.frame
	a, b, c, d := f.di, f.si, f.dx, f.r10
	f.ax = 0
	switch t.call {
	case sysMmap:
		f.ax = k.mmap(p, a, b, c, d, f.r8, f.r9)
	case sysMunmap:
		f.ax = k.munmap(p, a, b)
	case sysMprotect:
		f.ax = k.mprotect(p, a, b, c)
	case sysMadvise:
		f.ax = k.madvise(p, a, b, c)
	case sysMremap:
		f.ax = k.mremap(p, a, b, c, d)
	case sysBrk: // there is no such heap: its end stays where it is
	case sysClone:
		f.ax = k.clone(t)
	case sysExit:
		t.state = unused
	case sysExitGroup:
		k.end(int32(a))
	case sysArchPrctl:
		const setFS = 0x1002
		if a != setFS || b >= 1<<47 {
			f.ax = einval
			return
		}
		t.fs, p.threadFS = b, b
	case sysSchedYield:
		k.dispatch(p)
	case sysNanosleep:
		f.ax = k.nanosleep(p, a)
	case sysClockNanosleep:
		f.ax = k.clockNanosleep(p, a, b, c)
	case sysSetitimer:
		f.ax = k.setitimer(p, a, b, c)
	case sysTimerCreate:
		f.ax = k.timerCreate(p, a, b, c)
	case sysTimerSettime:
		f.ax = k.timerSettime(p, a, b, c, d)
	case sysTimerDelete:
		f.ax = k.timerDelete(a)
	case sysFutex:
		k.futex(p, f)
	case sysGetaffinity:
		f.ax = k.affinity(b, c)
	case sysClockGettime:
		f.ax = k.clock(p, a, b)
	case sysClockGetres:
		f.ax = k.pair(b, 0, 1)
	case sysGettimeofday:
		now := k.epoch + k.now()
		f.ax = k.pair(a, now/1e9, now%1e9/1e3)
	case sysGettid:
		f.ax = p.running + 1
	case sysGetpid:
		f.ax = 1
	case sysGetppid, sysGetuid, sysGetgid, sysGeteuid, sysGetegid, sysGetgroups: // no parent; root
	case sysGetrandom:
		f.ax = k.getrandom(a, b)
	case sysRTSigaction:
		f.ax = k.sigaction(a, b, c)
	case sysRTSigprocmask:
		f.ax = k.sigprocmask(t, a, b, c)
	case sysSigaltstack:
		f.ax = k.sigaltstack(t, a, b)
	case sysRTSigreturn:
		k.sigreturn(t)
	case sysTgkill:
		f.ax = k.tgkill(b, c)
	case sysTkill:
		f.ax = k.tgkill(a, b)
	case sysKill:
		f.ax = k.kill(p, b)
	case sysUname:
		f.ax = k.uname(a)
	case sysGetrlimit:
		f.ax = k.pair(b, limits(a), limits(a))
	case sysPrlimit64:
		if d != 0 {
			f.ax = k.pair(d, limits(b), limits(b))
		}
	case sysGetrusage:
		f.ax = k.usage(p, b)
	case sysPrctl, sysSetRobustList, sysSetrlimit, sysSync, sysMsync, sysMlock, sysMunlock, sysFadvise64: // to say that all went well is true enough
	case sysSysinfo:
		f.ax = k.systemInfo(a)
	case sysSocket, sysSocketpair:
		f.ax = eafnosup // there is no network
	case sysConnect, sysAccept, sysSendto, sysRecvfrom, sysSendmsg, sysRecvmsg, sysShutdown, sysBind, sysListen, sysGetsockname,
		sysGetpeername, sysSetsockopt, sysGetsockopt, sysAccept4:
		f.ax = enotsock
		if k.file(a) == nil {
			f.ax = ebadf
		}
	case sysWait4, sysWaitid:
		f.ax = echild // a process there can be only one of
	case sysClone3, sysRseq, sysPidfdOpen, sysPidfdSend, sysStatx, sysOpenat2, sysCopyFileRange, sysSendfile, sysSplice,
		sysExecve:
		f.ax = enosys // what programs ask for to see whether it is there, and do without
	default:
		if !k.serveFile(p, f, t.call) && !k.serveOwn(p, f, t.call) {
			k.unserved(t)
		}
	}
}

// serveOwn serves a call of the kernel's own (program.go), and says whether it was one. A program that is another's has
// those only that tell it something: what memory is like, and what its host says of the TD.
func (k *kernel) serveOwn(p *processor, f *frame, call uint64) bool {
	if call < callBase || call >= callBase+calls {
		return false
	}
	switch call {
	case callSystem, callMemory, callAskForQuote, callReadQuote:
	default:
		if k.embedded() {
			return false
		}
	}
	f.ax = k.call(p, call, f.di, f.si)
	return true
}
