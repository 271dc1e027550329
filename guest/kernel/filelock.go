//go:build linux && amd64

package kernel

// Locks on files. Those of flock belong to an open file, which several descriptors may stand for; those of fcntl to the
// process, so that with one process all are granted.

const (
	lockShared    = 1
	lockExclusive = 2
)

// flock is flock(2).
func (k *kernel) flock(p *processor, descriptor, operation uint64) uint64 {
	const noWait, unlock = 4, 8
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	want := uint32(operation) &^ noWait
	if want != lockShared && want != lockExclusive && want != unlock {
		return einval
	}
	k.unlockFile(o) // also where it is to be another lock
	if want == unlock {
		return 0
	}
	for i := range k.descriptors.open {
		other := &k.descriptors.open[i]
		if other == o || other.users == 0 || other.lock == 0 || other.node != o.node || o.node == 0 || want == lockShared && other.lock == lockShared {
			continue
		}
		if operation&noWait != 0 {
			return eagain
		}
		k.sleepAgain(p, waitLock, -1, 0)
		return 0
	}
	o.lock = want
	return 0
}

// unlockFile takes an open file's lock away, for which others may wait.
func (k *kernel) unlockFile(o *openFile) {
	if o.lock != 0 {
		o.lock = 0
		k.wake(waitLock, maxThreads)
	}
}

// askForLock is fcntl with F_GETLK: it says in a struct flock (include/uapi/asm-generic/fcntl.h) that nobody else has one.
func (k *kernel) askForLock(to uint64) uint64 {
	const unlocked = 2 // F_UNLCK
	if !k.reach(to, 2, canWrite) {
		return efault
	}
	*(*uint16)(pointer(to)) = unlocked
	return 0
}
