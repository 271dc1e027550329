//go:build linux && amd64

package kernel

// An openFile is what file descriptors stand for; dup makes two stand for one.
type openFile struct {
	users uint32 // descriptors; 0 where this is free
	kind  uint32
	node  uint32 // of files and directories, of a device
	pipe  uint32 // its number
	flags uint32 // as open takes them
	lock  uint32 // that it has on its node (filelock.go); 0 for none
	place uint64 // where the next read or write is; of a directory, how many entries were read; of an event, its count
}

// Kinds of open files.
const (
	openNode = iota
	openConsole
	openReport // the second serial port
	openEvent  // eventfd
	openPoll   // epoll
	openReader // the ends of a pipe
	openWriter
)

const (
	maxFiles = 1024

	flagWriteOnly, flagReadWrite, flagAccess            = 1, 2, 3
	flagCreate, flagExclusive, flagTruncate, flagAppend = 0x40, 0x80, 0x200, 0x400
	flagNonBlock, flagDirectory, flagNoFollow           = 0x800, 0x1_0000, 0x2_0000
	flagPath                                            = 0x20_0000
	flagCloseOnExec                                     = 0x8_0000
)

// descriptors are the table of open files and that of who stands for which.
type descriptors struct {
	open [maxFiles]openFile
	of   [maxFiles]uint16 // by descriptor, one more than the index of the file; 0 for none
}

// openStandard opens what a program finds open.
func (k *kernel) openStandard() {
	d := &k.descriptors
	for i := range 3 {
		d.open[i] = openFile{users: 1, kind: openConsole, flags: flagReadWrite}
		d.of[i] = uint16(i) + 1
	}
	if k.hasReport {
		d.open[3] = openFile{users: 1, kind: openReport, flags: flagReadWrite}
		d.of[3] = 4
	}
}

// file returns what a descriptor stands for, nil where that is nothing.
func (k *kernel) file(descriptor uint64) *openFile {
	d := &k.descriptors
	if i := uint64(uint32(descriptor)); i < maxFiles && d.of[i] != 0 {
		return &d.open[d.of[i]-1]
	}
	return nil
}

// index is the number of an open file.
func (k *kernel) index(o *openFile) uint16 {
	for i := range k.descriptors.open {
		if &k.descriptors.open[i] == o {
			return uint16(i)
		}
	}
	return 0
}

// newFile opens something, and returns its descriptor or an error.
func (k *kernel) newFile(kind, number, pipe, flags uint32) uint64 {
	d := &k.descriptors
	for i := range d.open {
		if d.open[i].users != 0 {
			continue
		}
		descriptor := k.describeFile(uint16(i), 0)
		if descriptor < maxFiles {
			d.open[i] = openFile{users: 1, kind: kind, node: number, pipe: pipe, flags: flags}
			if number != 0 {
				k.useNode(number)
			}
		}
		return descriptor
	}
	return emfile
}

// describeFile makes the first free descriptor, from one on, stand for an open file.
func (k *kernel) describeFile(open uint16, from uint64) uint64 {
	d := &k.descriptors
	for i := from; i < maxFiles; i++ {
		if d.of[i] == 0 {
			d.of[i] = open + 1
			return i
		}
	}
	return emfile
}

func (k *kernel) close(descriptor uint64) uint64 {
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	k.descriptors.of[uint32(descriptor)] = 0
	if o.users--; o.users > 0 {
		return 0
	}
	k.forget(k.index(o))
	k.unlockFile(o)
	switch o.kind {
	case openReader, openWriter:
		k.closePipe(o)
	}
	if o.node != 0 {
		k.letGo(o.node)
	}
	return 0
}

// duplicate is dup, and fcntl with F_DUPFD.
func (k *kernel) duplicate(descriptor, from uint64) uint64 {
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	copied := k.describeFile(k.index(o), from)
	if copied < maxFiles {
		o.users++
	}
	return copied
}

// duplicateTo is dup3.
func (k *kernel) duplicateTo(descriptor, to uint64) uint64 {
	o := k.file(descriptor)
	if o == nil || to >= maxFiles {
		return ebadf
	}
	if descriptor == to {
		return einval
	}
	k.close(to)
	k.descriptors.of[to] = k.index(o) + 1
	o.users++
	return to
}

func (k *kernel) fcntl(descriptor, command, argument uint64) uint64 {
	const duplicate, getFD, setFD, getFlags, setFlags, getLock, setLock, waitForLock, duplicateClose = 0, 1, 2, 3, 4, 5, 6, 7, 1030
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	switch command {
	case duplicate, duplicateClose:
		return k.duplicate(descriptor, argument)
	case getFD:
		return 1 // FD_CLOEXEC: there is nothing to execute
	case setFD:
		return 0
	case getFlags:
		return uint64(o.flags)
	case setFlags:
		const can = flagAppend | flagNonBlock
		o.flags = o.flags&^can | uint32(argument)&can
		return 0
	case getLock:
		return k.askForLock(argument)
	case setLock, waitForLock:
		return 0
	}
	return einval
}
