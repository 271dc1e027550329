//go:build linux && amd64

package kernel

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
	case sysFlock:
		f.ax = k.flock(p, a, b)
	case sysFsync, sysFdatasync, sysFchown:
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
	case sysLink:
		f.ax = k.link(p, atWorkingDirectory, a, atWorkingDirectory, b, 0)
	case sysLinkat:
		f.ax = k.link(p, a, b, c, d, f.r8)
	case sysMknod:
		f.ax = k.makeSpecial(p, atWorkingDirectory, a, b)
	case sysMknodat:
		f.ax = k.makeSpecial(p, a, b, c)
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
	case sysFchmodat2:
		f.ax = k.onPath(a, b, d, changeMode, c)
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
