//go:build linux && amd64

package kernel

// Numbers of the system calls of Linux that are served (arch/x86/entry/syscalls/syscall_64.tbl).
const (
	sysRead           = 0
	sysWrite          = 1
	sysOpen           = 2
	sysClose          = 3
	sysStat           = 4
	sysFstat          = 5
	sysLstat          = 6
	sysLseek          = 8
	sysMmap           = 9
	sysMprotect       = 10
	sysMunmap         = 11
	sysBrk            = 12
	sysRTSigaction    = 13
	sysRTSigprocmask  = 14
	sysRTSigreturn    = 15
	sysIoctl          = 16
	sysPread64        = 17
	sysPwrite64       = 18
	sysReadv          = 19
	sysWritev         = 20
	sysAccess         = 21
	sysPipe           = 22
	sysSchedYield     = 24
	sysMsync          = 26
	sysMadvise        = 28
	sysDup            = 32
	sysDup2           = 33
	sysNanosleep      = 35
	sysSetitimer      = 38
	sysGetpid         = 39
	sysSendfile       = 40
	sysSocket         = 41
	sysConnect        = 42
	sysAccept         = 43
	sysSendto         = 44
	sysRecvfrom       = 45
	sysSendmsg        = 46
	sysRecvmsg        = 47
	sysShutdown       = 48
	sysBind           = 49
	sysListen         = 50
	sysGetsockname    = 51
	sysGetpeername    = 52
	sysSocketpair     = 53
	sysSetsockopt     = 54
	sysGetsockopt     = 55
	sysClone          = 56
	sysExecve         = 59
	sysExit           = 60
	sysWait4          = 61
	sysKill           = 62
	sysUname          = 63
	sysFcntl          = 72
	sysFlock          = 73
	sysFsync          = 74
	sysFdatasync      = 75
	sysTruncate       = 76
	sysFtruncate      = 77
	sysGetcwd         = 79
	sysChdir          = 80
	sysFchdir         = 81
	sysRename         = 82
	sysMkdir          = 83
	sysRmdir          = 84
	sysLink           = 86
	sysUnlink         = 87
	sysSymlink        = 88
	sysReadlink       = 89
	sysChmod          = 90
	sysFchmod         = 91
	sysChown          = 92
	sysFchown         = 93
	sysLchown         = 94
	sysUmask          = 95
	sysGettimeofday   = 96
	sysGetrlimit      = 97
	sysGetrusage      = 98
	sysSysinfo        = 99
	sysGetuid         = 102
	sysGetgid         = 104
	sysGeteuid        = 107
	sysGetegid        = 108
	sysGetppid        = 110
	sysGetgroups      = 115
	sysSigaltstack    = 131
	sysStatfs         = 137
	sysFstatfs        = 138
	sysMlock          = 149
	sysMunlock        = 150
	sysPrctl          = 157
	sysArchPrctl      = 158
	sysSetrlimit      = 160
	sysSync           = 162
	sysGettid         = 186
	sysTkill          = 200
	sysFutex          = 202
	sysGetaffinity    = 204
	sysGetdents64     = 217
	sysFadvise64      = 221
	sysTimerCreate    = 222
	sysTimerSettime   = 223
	sysTimerDelete    = 226
	sysClockGettime   = 228
	sysClockGetres    = 229
	sysClockNanosleep = 230
	sysExitGroup      = 231
	sysEpollCtl       = 233
	sysTgkill         = 234
	sysWaitid         = 247
	sysOpenat         = 257
	sysMkdirat        = 258
	sysFchownat       = 260
	sysNewfstatat     = 262
	sysUnlinkat       = 263
	sysRenameat       = 264
	sysLinkat         = 265
	sysSymlinkat      = 266
	sysReadlinkat     = 267
	sysFchmodat       = 268
	sysFaccessat      = 269
	sysSetRobustList  = 273
	sysSplice         = 275
	sysUtimensat      = 280
	sysEpollPwait     = 281
	sysAccept4        = 288
	sysEventfd2       = 290
	sysEpollCreate1   = 291
	sysDup3           = 292
	sysPipe2          = 293
	sysPrlimit64      = 302
	sysRenameat2      = 316
	sysGetrandom      = 318
	sysCopyFileRange  = 326
	sysStatx          = 332
	sysRseq           = 334
	sysPidfdSend      = 424
	sysPidfdOpen      = 434
	sysClone3         = 435
	sysOpenat2        = 437
	sysFaccessat2     = 439
	sysFchmodat2      = 452
)

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
	case sysClone3, sysRseq, sysPidfdOpen, sysPidfdSend, sysStatx, sysOpenat2, sysFchmodat2, sysCopyFileRange, sysSendfile, sysSplice,
		sysExecve:
		f.ax = enosys // what programs ask for to see whether it is there, and do without
	default:
		if !k.serveFile(p, f, t.call) && !k.serveOwn(p, f, t.call) {
			k.unserved(t)
		}
	}
}

// serveFile serves a system call about files, and says whether it was one.
func (k *kernel) serveFile(p *processor, f *frame, call uint64) bool {
	a, b, c, d := f.di, f.si, f.dx, f.r10
	switch call {
	case sysRead:
		f.ax = k.read(p, a, b, c, nil)
	case sysWrite:
		f.ax = k.write(p, a, b, c, nil)
	case sysPread64:
		f.ax = k.read(p, a, b, c, &d)
	case sysPwrite64:
		f.ax = k.write(p, a, b, c, &d)
	case sysReadv:
		f.ax = k.vector(p, a, b, c, false)
	case sysWritev:
		f.ax = k.vector(p, a, b, c, true)
	case sysLseek:
		f.ax = k.seek(a, b, c)
	case sysClose:
		f.ax = k.close(a)
	case sysDup:
		f.ax = k.duplicate(a, 0)
	case sysDup2, sysDup3:
		f.ax = k.duplicateTo(a, b)
	case sysFcntl:
		f.ax = k.fcntl(a, b, c)
	case sysIoctl:
		f.ax = enotty
	case sysPipe:
		f.ax = k.newPipe(p, a, 0)
	case sysPipe2:
		f.ax = k.newPipe(p, a, b)
	case sysEventfd2:
		f.ax = k.newFile(openEvent, 0, 0, flagReadWrite|uint32(b)&flagNonBlock)
	case sysEpollCreate1:
		f.ax = k.newFile(openPoll, 0, 0, flagReadWrite)
	case sysEpollCtl:
		f.ax = k.epollControl(a, b, c, d)
	case sysEpollPwait:
		f.ax = k.epollWait(p, a, b, c, int32(d))
	case sysGetcwd:
		f.ax = k.workingDirectory(a, b)
	case sysUmask:
		f.ax, k.umask = uint64(k.umask), uint32(a)&0o777
	case sysFsync, sysFdatasync, sysFlock, sysFchown:
		if k.file(a) == nil {
			f.ax = ebadf
		}
	case sysStatfs:
		if f.ax = k.onPath(atWorkingDirectory, a, 0, nothing, 0); f.ax == 0 {
			f.ax = k.statFileSystem(b)
		}
	case sysFstatfs:
		if f.ax = ebadf; k.file(a) != nil {
			f.ax = k.statFileSystem(b)
		}
	case sysFstat:
		f.ax = k.statOpen(a, b)
	case sysGetdents64:
		f.ax = k.readDirectory(a, b, c)
	case sysFtruncate:
		f.ax = k.onOpen(a, resize, b)
	case sysFchmod:
		f.ax = k.onOpen(a, changeMode, b)
	case sysFchdir:
		f.ax = k.onOpen(a, enterDirectory, 0)
	case sysOpen:
		f.ax = k.openFile(p, atWorkingDirectory, a, b, c)
	case sysOpenat:
		f.ax = k.openFile(p, a, b, c, d)
	case sysStat:
		f.ax = k.statAt(atWorkingDirectory, a, b, 0)
	case sysLstat:
		f.ax = k.statAt(atWorkingDirectory, a, b, atNoFollow)
	case sysNewfstatat:
		f.ax = k.statAt(a, b, c, d)
	case sysMkdir:
		f.ax = k.makeDirectory(p, atWorkingDirectory, a, b)
	case sysMkdirat:
		f.ax = k.makeDirectory(p, a, b, c)
	case sysRmdir:
		f.ax = k.unlink(atWorkingDirectory, a, atRemoveDirectory)
	case sysUnlink:
		f.ax = k.unlink(atWorkingDirectory, a, 0)
	case sysUnlinkat:
		f.ax = k.unlink(a, b, c)
	case sysRename:
		f.ax = k.rename(atWorkingDirectory, a, atWorkingDirectory, b, 0)
	case sysRenameat:
		f.ax = k.rename(a, b, c, d, 0)
	case sysRenameat2:
		f.ax = k.rename(a, b, c, d, f.r8)
	case sysLink, sysLinkat:
		f.ax = eperm // a file has one name
	case sysSymlink:
		f.ax = k.symbolicLink(p, a, atWorkingDirectory, b)
	case sysSymlinkat:
		f.ax = k.symbolicLink(p, a, b, c)
	case sysReadlink:
		f.ax = k.readLink(atWorkingDirectory, a, b, c)
	case sysReadlinkat:
		f.ax = k.readLink(a, b, c, d)
	case sysChdir:
		f.ax = k.onPath(atWorkingDirectory, a, 0, enterDirectory, 0)
	case sysTruncate:
		f.ax = k.onPath(atWorkingDirectory, a, 0, resize, b)
	case sysChmod:
		f.ax = k.onPath(atWorkingDirectory, a, 0, changeMode, b)
	case sysFchmodat:
		f.ax = k.onPath(a, b, 0, changeMode, c)
	case sysChown, sysAccess:
		f.ax = k.onPath(atWorkingDirectory, a, 0, nothing, 0)
	case sysLchown:
		f.ax = k.onPath(atWorkingDirectory, a, atNoFollow, nothing, 0)
	case sysFaccessat, sysFaccessat2:
		f.ax = k.onPath(a, b, 0, nothing, 0)
	case sysFchownat:
		f.ax = k.onPath(a, b, f.r8, nothing, 0)
	case sysUtimensat:
		if b == 0 {
			f.ax = k.onOpen(a, changeTime, c)
		} else {
			f.ax = k.onPath(a, b, d, changeTime, c)
		}
	default:
		return false
	}
	return true
}

// serveOwn serves a call of the kernel's own (program.go), and says whether it was one. A program that is another's has
// those only that tell it something.
func (k *kernel) serveOwn(p *processor, f *frame, call uint64) bool {
	if call < callBase || call >= callBase+calls || k.embedded() && call != callSystem && call != callMemory {
		return false
	}
	f.ax = k.call(p, call, f.di, f.si)
	return true
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
