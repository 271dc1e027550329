//go:build linux && amd64

package kernel

// An interest is what epoll_ctl has asked for: to hear of a file.
type interest struct {
	poll, file uint16 // open files, one more than their index; 0 where this is free
	events     uint32
	data       uint64
	edge       bool // something has happened since it was last reported
}

const (
	maxInterests = 256

	pollIn, pollOut, pollError, pollHangUp = 1, 4, 8, 0x10
	pollEdge                               = 1 << 31
)

// ready returns what could be done with a file without waiting.
func (k *kernel) ready(o *openFile) (events uint32) {
	switch o.kind {
	case openEvent:
		if events = pollOut; o.place != 0 {
			events |= pollIn
		}
	case openReader:
		q := &k.pipes[o.pipe]
		if q.n > 0 {
			events |= pollIn
		}
		if q.writers == 0 {
			events |= pollHangUp
		}
	case openWriter:
		q := &k.pipes[o.pipe]
		if q.n < pipeSize {
			events |= pollOut
		}
		if q.readers == 0 {
			events |= pollError
		}
	}
	return events
}

// changed tells all who wait for a file, or for the other end of its pipe.
func (k *kernel) changed(o *openFile) {
	isPipe := o.kind == openReader || o.kind == openWriter
	for i := range k.interests {
		in := &k.interests[i]
		if in.file == 0 {
			continue
		}
		other := &k.descriptors.open[in.file-1]
		if other == o || isPipe && (other.kind == openReader || other.kind == openWriter) && other.pipe == o.pipe {
			in.edge = true
		}
	}
	k.wake(waitEvent, maxThreads)
}

// forget removes all interests in a file that is closed.
func (k *kernel) forget(index uint16) {
	for i := range k.interests {
		if in := &k.interests[i]; in.file == index+1 || in.poll == index+1 {
			*in = interest{}
		}
	}
}

func (k *kernel) epollControl(poll, operation, descriptor, event uint64) uint64 {
	const add, remove, modify = 1, 2, 3
	e, o := k.file(poll), k.file(descriptor)
	if e == nil || o == nil {
		return ebadf
	}
	if e.kind != openPoll || e == o {
		return einval
	}
	if o.kind != openEvent && o.kind != openReader && o.kind != openWriter {
		return eperm // such a file is always ready
	}
	if operation != remove && !k.reach(event, 12, canRead) {
		return efault
	}
	pollIndex, fileIndex := k.index(e)+1, k.index(o)+1
	var found, empty *interest
	for i := range k.interests {
		switch in := &k.interests[i]; {
		case in.file == 0:
			empty = in
		case in.poll == pollIndex && in.file == fileIndex:
			found = in
		}
	}
	switch {
	case operation == add && found != nil:
		return eexist
	case operation == add && empty == nil:
		return enospc
	case operation == add:
		found = empty
	case found == nil:
		return enoent
	}
	if operation == remove {
		*found = interest{}
		return 0
	}
	*found = interest{poll: pollIndex, file: fileIndex, events: *(*uint32)(pointer(event)), data: *at(event + 4), edge: true}
	k.wake(waitEvent, maxThreads)
	return 0
}

// epollWait is epoll_pwait; the mask that it can come with is not looked at.
func (k *kernel) epollWait(p *processor, poll, to, most uint64, timeout int32) uint64 {
	e := k.file(poll)
	if e == nil {
		return ebadf
	}
	most = uint64(uint32(most))
	if e.kind != openPoll || most == 0 || most > 1<<20 {
		return einval
	}
	if !k.reach(to, 12*most, canWrite) {
		return efault
	}
	index := k.index(e) + 1
	n := uint64(0)
	for i := range k.interests {
		in := &k.interests[i]
		if in.poll != index || n == most {
			continue
		}
		events := k.ready(&k.descriptors.open[in.file-1]) & (in.events | pollError | pollHangUp)
		if events == 0 || in.events&pollEdge != 0 && !in.edge {
			continue
		}
		in.edge = false
		*(*uint32)(pointer(to + 12*n)), *at(to + 12*n + 4) = events, in.data
		n++
	}
	if n == 0 && timeout != 0 {
		ns := int64(-1)
		if timeout > 0 {
			ns = int64(timeout) * 1e6
		}
		k.sleepAgain(p, waitEvent, ns, 0)
	}
	return n
}
