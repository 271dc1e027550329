//go:build linux && amd64

package kernel

// System calls about threads, time and chance.

// clone makes a thread with a stack of its own, as the Go runtime asks for it: everything shared (runtime/os_linux.go).
// A process there can be only one of.
func (k *kernel) clone(t *thread) uint64 {
	const memory, sameGroup, setTLS = 0x100, 0x1_0000, 0x8_0000
	f := &t.frame
	if f.di&memory == 0 || f.di&sameGroup == 0 {
		return enosys
	}
	child, fs := *f, t.fs
	child.ax, child.sp = 0, f.si
	if f.di&setTLS != 0 {
		fs = f.r8
	}
	i := k.spawn(&child, fs, t.signal.mask)
	if i == 0 {
		return eagain
	}
	return i + 1
}

func (k *kernel) futex(p *processor, f *frame) {
	const operation, wait, wake = 0x7F, 0, 1
	if f.di&3 != 0 || !k.reach(f.di, 4, canRead) {
		f.ax = efault
		return
	}
	word := (*uint32)(pointer(f.di))
	switch f.si & operation {
	case wait:
		if *word != uint32(f.dx) {
			f.ax = eagain
			return
		}
		k.sleep(p, f.di, k.duration(f.r10), etimedout)
	case wake:
		f.ax = k.wake(f.di, f.dx)
	default:
		f.ax = enosys
	}
}

// clock is clock_gettime.
func (k *kernel) clock(p *processor, which, to uint64) uint64 {
	const realTime, coarse, atomic = 0, 5, 11
	if !k.reach(to, 16, canWrite) {
		return efault
	}
	now := k.now()
	switch which {
	case realTime, coarse, atomic:
		now += k.epoch
	case clockProcess:
		now = k.processTime(p)
	case clockThread:
		k.account(p)
		now = k.current(p).used
	}
	*at(to), *at(to + 8) = now/1e9, now%1e9
	return 0
}

// affinity is sched_getaffinity: a bit for each processor.
func (k *kernel) affinity(n, to uint64) uint64 {
	size := (k.online + 63) / 64 * 8
	if n < size || !k.reach(to, size, canWrite) {
		return einval
	}
	for i := uint64(0); i < size; i += 8 {
		left := min(k.online-8*i, 64)
		*at(to + i) = ^uint64(0) >> (64 - left)
	}
	return size
}

func (k *kernel) getrandom(to, n uint64) uint64 {
	if !k.reach(to, n, canWrite) {
		return efault
	}
	for i := uint64(0); i < n; i++ {
		*(*uint8)(pointer(to + i)) = uint8(k.random() >> 8)
	}
	return n
}

// tgkill sends a signal to a thread; there is one process.
func (k *kernel) tgkill(id, signal uint64) uint64 {
	if id == 0 || id > maxThreads || k.threads[id-1].state == unused {
		return esrch
	}
	return k.signal(&k.threads[id-1], signal)
}

// pair stores two numbers, a struct timespec or the like.
func (k *kernel) pair(to, first, second uint64) uint64 {
	if !k.reach(to, 16, canWrite) {
		return efault
	}
	*at(to), *at(to + 8) = first, second
	return 0
}

func (k *kernel) nanosleep(p *processor, request uint64) uint64 {
	if !k.reach(request, 16, canRead) {
		return efault
	}
	ns := k.duration(request)
	if ns < 0 {
		return einval
	}
	k.sleep(p, 0, ns, 0)
	return 0
}

func (k *kernel) clockNanosleep(p *processor, which, flags, request uint64) uint64 {
	const absolute = 1
	if !k.reach(request, 16, canRead) {
		return efault
	}
	ns := k.duration(request)
	if ns < 0 {
		return einval
	}
	if flags&absolute != 0 {
		now := k.now()
		if which == 0 {
			now += k.epoch
		}
		ns = max(ns-int64(now), 0)
	}
	k.sleep(p, 0, ns, 0)
	return 0
}

// limits is what there may be of a resource: files, and of the rest what memory allows.
func limits(resource uint64) uint64 {
	const files = 7
	if resource == files {
		return maxFiles
	}
	return ^uint64(0)
}

// usage is getrusage of the process: a struct rusage, of which the first two numbers are the processor time that was used.
func (k *kernel) usage(p *processor, to uint64) uint64 {
	const size = 144
	if !k.reach(to, size, canWrite) {
		return efault
	}
	zero(to, size)
	used := k.processTime(p)
	*at(to), *at(to + 8) = used/1e9, used%1e9/1e3
	return 0
}

// systemInfo is sysinfo: a struct sysinfo (include/uapi/linux/sysinfo.h), of which the rest is 0.
func (k *kernel) systemInfo(to uint64) uint64 {
	const size, uptime, total, free, processes, unit = 112, 0, 32, 40, 80, 104
	if !k.reach(to, size, canWrite) {
		return efault
	}
	zero(to, size)
	*at(to + uptime) = k.now() / 1e9
	info := k.memory.allocator.Meminfo()
	*at(to + total), *at(to + free) = info.Total, info.Total-info.Used
	*(*uint16)(pointer(to + processes)) = 1
	*(*uint32)(pointer(to + unit)) = 1
	return 0
}
