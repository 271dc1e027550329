//go:build linux && amd64

package kernel

// System calls of Linux that the Go runtime and package os make at the least (arch/x86/entry/syscalls/syscall_64.tbl).
const (
	sysRead          = 0
	sysWrite         = 1
	sysClose         = 3
	sysMmap          = 9
	sysMprotect      = 10
	sysMunmap        = 11
	sysRTSigaction   = 13
	sysRTSigprocmask = 14
	sysRTSigreturn   = 15
	sysSchedYield    = 24
	sysMadvise       = 28
	sysNanosleep     = 35
	sysGetpid        = 39
	sysSocket        = 41
	sysClone         = 56
	sysExit          = 60
	sysUname         = 63
	sysFcntl         = 72
	sysGetcwd        = 79
	sysGetuid        = 102
	sysGetgid        = 104
	sysGeteuid       = 107
	sysGetegid       = 108
	sysSigaltstack   = 131
	sysPrctl         = 157
	sysArchPrctl     = 158
	sysGettid        = 186
	sysFutex         = 202
	sysGetaffinity   = 204
	sysClockGettime  = 228
	sysExitGroup     = 231
	sysEpollCtl      = 233
	sysTgkill        = 234
	sysKill          = 62
	sysOpenat        = 257
	sysMkdirat       = 258
	sysNewfstatat    = 262
	sysUnlinkat      = 263
	sysReadlinkat    = 267
	sysSetRobustList = 273
	sysEpollPwait    = 281
	sysEventfd2      = 290
	sysEpollCreate1  = 291
	sysPrlimit64     = 302
	sysGetrandom     = 318
	sysFaccessat2    = 439
)

// Files that are open from the start, and the two that the runtime's poller makes.
const (
	fileConsole = 2 // 0 to 2
	fileReport  = 3
	fileEvent   = 4
	fileEpoll   = 5
)

// serveSyscall serves a system call of the thread that runs.
//
//lint:ignore U1000 entry_amd64.s calls it
func serveSyscall() {
	p := processorHere()
	t := k.current(p)
	t.full = false
	k.syscalls++
	k.serve(p, t)
	k.leave(p)
}

// serve does what the present thread asks for.
func (k *kernel) serve(p *processor, t *thread) {
	f := &t.frame
	a, b, c, d := f.di, f.si, f.dx, f.r10
	t.call = f.ax
	f.ax = 0
	switch t.call {
	case sysWrite:
		f.ax = k.write(p, a, b, c)
	case sysRead:
		f.ax = k.read(a, b)
	case sysMmap:
		f.ax = k.mmap(p, a, b, c, d)
	case sysMunmap:
		f.ax = k.munmap(p, a, b)
	case sysMprotect:
		f.ax = k.mprotect(a, b, c)
	case sysMadvise:
		f.ax = k.madvise(p, a, b, c)
	case sysClone:
		f.ax = k.clone(t)
	case sysExit:
		t.state = unused
		k.dispatch(p)
	case sysExitGroup:
		k.end(int32(a))
	case sysArchPrctl:
		const setFS = 0x1002
		if a != setFS {
			f.ax = einval
			return
		}
		t.fs, p.threadFS = b, b
	case sysSchedYield:
		k.dispatch(p)
	case sysNanosleep:
		k.sleep(p, 0, k.duration(a), 0)
	case sysFutex:
		k.futex(p, f)
	case sysGetaffinity:
		if b < 8 || !k.reach(c, 8, canWrite) {
			f.ax = einval
			return
		}
		*at(c) = 1 // one processor
		f.ax = 8
	case sysClockGettime:
		f.ax = k.clock(a, b)
	case sysGettid:
		f.ax = p.running + 1
	case sysGetpid:
		f.ax = 1
	case sysEventfd2:
		f.ax = fileEvent
	case sysEpollCreate1:
		f.ax = fileEpoll
	case sysEpollCtl:
		if a == fileEpoll && c == fileEvent && d != 0 {
			k.eventData = *at(d + 4)
		}
	case sysEpollPwait:
		k.poll(p, f)
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
	case sysKill:
		f.ax = k.kill(p, b)
	case sysClose, sysPrctl, sysSetRobustList, sysPrlimit64:
	case sysFcntl:
		const getFlags = 3
		if b == getFlags {
			f.ax = 2 // O_RDWR
		}
	case sysOpenat, sysReadlinkat, sysNewfstatat, sysFaccessat2, sysMkdirat, sysUnlinkat, sysGetcwd:
		f.ax = enoent // there are no files and no directories
	case sysSocket:
		f.ax = eafnosup // nor any network
	case sysUname:
		f.ax = k.uname(a)
	case sysGetuid, sysGetgid, sysGeteuid, sysGetegid: // root
	default:
		if t.call >= callBase && t.call < callBase+calls {
			f.ax = k.call(p, t.call, a, b)
			return
		}
		f.ax = enosys
		k.unknown(t.call)
	}
}

// uname fills in a struct new_utsname (include/uapi/linux/utsname.h), from which package os has the host's name and the
// runtime the kernel's version, which is to promise nothing.
func (k *kernel) uname(to uint64) uint64 {
	const field = 65
	texts := [...]string{"tacit", "guest", "0", "", "x86_64", ""}
	if !k.reach(to, field*uint64(len(texts)), canWrite) {
		return efault
	}
	for i, text := range texts {
		for j := range uint64(field) {
			c := uint8(0)
			if j < uint64(len(text)) {
				c = text[j]
			}
			*(*uint8)(pointer(to + field*uint64(i) + j)) = c
		}
	}
	return 0
}

// up rounds to whole pages.
func up(n uint64) uint64 { return (n + pageMask) &^ pageMask }

// poll is epoll_pwait on the one thing that can happen here: the runtime writes to its event file to wake its poller.
func (k *kernel) poll(p *processor, f *frame) {
	if k.event {
		k.report(f)
		return
	}
	switch timeout := int32(f.r10); {
	case timeout > 0:
		k.sleep(p, waitEvent, int64(timeout)*1e6, 0)
	case timeout < 0:
		k.sleep(p, waitEvent, -1, 0)
	}
}

// report gives a thread in epoll_pwait its event: EPOLLIN, and what epoll_ctl was given to go with it.
func (k *kernel) report(f *frame) {
	*(*uint32)(pointer(f.si)) = 1
	*at(f.si + 4) = k.eventData
	f.ax = 1
}

func (k *kernel) write(p *processor, file, from, n uint64) uint64 {
	switch {
	case file <= fileConsole:
		k.send(com1, from, n)
	case file == fileReport:
		if !k.hasReport {
			return ebadf
		}
		k.send(com2, from, n)
	case file == fileEvent:
		k.event = true
		for i := range k.threads {
			if t := &k.threads[i]; t.state == sleeping && t.futex == waitEvent {
				t.state, t.futex = runnable, 0
				k.report(&t.frame)
			}
		}
	default:
		return ebadf
	}
	return n
}

func (k *kernel) read(file, to uint64) uint64 {
	switch {
	case file == fileEvent && !k.event:
		return eagain
	case file == fileEvent:
		k.event = false
		*at(to) = 1
		return 8
	case file == 0:
		return 0 // there is no keyboard: end of file
	}
	return ebadf
}
