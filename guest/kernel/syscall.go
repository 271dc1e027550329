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

// Errors of Linux, as a system call returns them (include/uapi/asm-generic/errno-base.h and errno.h).
const (
	enoent    = ^uint64(2) + 1
	ebadf     = ^uint64(9) + 1
	eagain    = ^uint64(11) + 1
	enomem    = ^uint64(12) + 1
	efault    = ^uint64(14) + 1
	ebusy     = ^uint64(16) + 1
	einval    = ^uint64(22) + 1
	enosys    = ^uint64(38) + 1
	eafnosup  = ^uint64(97) + 1
	etimedout = ^uint64(110) + 1
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
	k.serve(processorHere())
}

// serve does what the present thread asks for.
func (k *kernel) serve(p *processor) {
	t := k.current(p)
	f := &t.frame
	k.syscalls++
	a, b, c, d := f.di, f.si, f.dx, f.r10
	nr := f.ax
	f.ax = 0
	switch nr {
	case sysWrite:
		f.ax = k.write(p, a, b, c)
	case sysRead:
		f.ax = k.read(a, b)
	case sysMmap:
		f.ax = k.mmap(p, a, b, c, d)
	case sysMunmap:
		if a&pageMask != 0 || b == 0 || !k.inProgram(a, b) {
			f.ax = einval
			return
		}
		k.unmap(p, a, a+up(b))
		if !k.space.set(a, a+up(b), free) {
			f.ax = enomem
		}
	case sysMadvise:
		const dontNeed, free = 4, 8
		if a&pageMask != 0 || !k.inProgram(a, b) {
			f.ax = einval
			return
		}
		if c == dontNeed || c == free {
			k.unmap(p, a, a+up(b))
		}
	case sysClone:
		f.ax = k.clone(f)
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
		k.sleep(p, 0, duration(a), 0)
	case sysFutex:
		k.futex(p, f)
	case sysGetaffinity:
		if b < 8 || !k.inProgram(c, 8) {
			f.ax = einval
			return
		}
		*at(c) = 1 // one processor
		f.ax = 8
	case sysClockGettime:
		now := k.now()
		if a == 0 { // CLOCK_REALTIME
			now += k.epoch
		}
		*at(b), *at(b + 8) = now/1e9, now%1e9
	case sysGettid, sysGetpid:
		f.ax = p.running + 1
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
		for i := uint64(0); i < b; i++ {
			*(*uint8)(pointer(a + i)) = uint8(k.random() >> 8)
		}
		f.ax = b
	case sysRTSigaction:
		k.sigaction(a, b)
	case sysSigaltstack:
		k.sigaltstack(t, a, b)
	case sysRTSigreturn:
		k.sigreturn(t)
	case sysRTSigprocmask, sysMprotect, sysClose, sysPrctl, sysSetRobustList, sysPrlimit64, sysTgkill:
		// No signal comes from outside, and protection is not kept: to say that all went well is true enough.
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
		if nr >= callBase && nr < callBase+calls {
			f.ax = k.call(p, nr, a, b)
			return
		}
		f.ax = enosys
		k.unknown(nr)
	}
}

// uname fills in a struct new_utsname (include/uapi/linux/utsname.h), from which package os has the host's name and the
// runtime the kernel's version, which is to promise nothing.
func (k *kernel) uname(to uint64) uint64 {
	const field = 65
	texts := [...]string{"tacit", "guest", "0", "", "x86_64", ""}
	if !k.inProgram(to, field*uint64(len(texts))) {
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

// inProgram says whether n bytes from a on lie in the program's part of the address space.
func (k *kernel) inProgram(a, n uint64) bool {
	return a >= userStart && a < 1<<47 && n <= 1<<47-a
}

// duration reads a struct timespec; negative where there is none.
func duration(at_ uint64) int64 {
	if at_ == 0 {
		return -1
	}
	return int64(min(*at(at_)*1e9+*at(at_ + 8), 1<<62))
}

func (k *kernel) mmap(p *processor, a, n, protection, flags uint64) uint64 {
	const fixed, anonymous, write = 0x10, 0x20, 2
	n = up(n)
	if flags&anonymous == 0 || n == 0 || n >= 1<<46 {
		return einval
	}
	if flags&fixed != 0 {
		if a&pageMask != 0 || !k.inProgram(a, n) {
			return einval
		}
		k.unmap(p, a, a+n)
	} else if a = k.space.room(a, n); a == 0 {
		return enomem
	}
	kind := uint8(reserved)
	if protection&write != 0 {
		kind = usable
	}
	if !k.space.set(a, a+n, kind) {
		return enomem
	}
	return a
}

// clone makes a thread with a stack and a thread pointer of its own, as the Go runtime asks for it: everything shared
// (runtime/os_linux.go).
func (k *kernel) clone(f *frame) uint64 {
	child := *f
	child.ax, child.sp = 0, f.si
	i := k.spawn(&child, f.r8)
	if i == 0 {
		return eagain
	}
	return i + 1
}

func (k *kernel) futex(p *processor, f *frame) {
	const operation, wait, wake = 0x7F, 0, 1
	word := (*uint32)(pointer(f.di))
	switch f.si & operation {
	case wait:
		if *word != uint32(f.dx) {
			f.ax = eagain
			return
		}
		k.sleep(p, f.di, duration(f.r10), etimedout)
	case wake:
		f.ax = k.wake(f.di, f.dx)
	default:
		f.ax = enosys
	}
}

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
