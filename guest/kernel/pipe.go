//go:build linux && amd64

package kernel

// A pipe is a ring of bytes.
type pipe struct {
	memory           uint64 // guest-physical; 0 where this is free
	start, n         uint64
	readers, writers uint32 // open files
}

const (
	maxPipes  = 128
	orderPipe = 4
	pipeSize  = pageSize << orderPipe
)

// newPipe is pipe2.
func (k *kernel) newPipe(p *processor, to, flags uint64) uint64 {
	if !k.reach(to, 8, canWrite) {
		return efault
	}
	for i := range k.pipes {
		q := &k.pipes[i]
		if q.memory != 0 {
			continue
		}
		memory, ok := k.takeMemory(p, orderPipe)
		if !ok {
			return enomem
		}
		*q = pipe{memory: memory, readers: 1, writers: 1}
		kept := uint32(flags) & flagNonBlock
		r := k.newFile(openReader, 0, uint32(i), kept)
		w := k.newFile(openWriter, 0, uint32(i), kept|flagWriteOnly)
		if r >= maxFiles || w >= maxFiles {
			if r < maxFiles {
				k.close(r)
			}
			k.giveMemory(memory, orderPipe)
			*q = pipe{}
			return emfile
		}
		*(*uint32)(pointer(to)), *(*uint32)(pointer(to + 4)) = uint32(r), uint32(w)
		return 0
	}
	return emfile
}

func (k *kernel) closePipe(o *openFile) {
	q := &k.pipes[o.pipe]
	if o.kind == openReader {
		q.readers--
	} else {
		q.writers--
	}
	k.changed(o)
	if q.readers == 0 && q.writers == 0 {
		k.giveMemory(q.memory, orderPipe)
		*q = pipe{}
	}
}

func (k *kernel) readPipe(p *processor, o *openFile, to, n uint64) uint64 {
	q := &k.pipes[o.pipe]
	switch {
	case n == 0 || q.n == 0 && q.writers == 0:
		return 0
	case q.n == 0 && o.flags&flagNonBlock != 0:
		return eagain
	case q.n == 0:
		k.sleepAgain(p, waitEvent, -1, 0)
		return 0 // to no one
	}
	n = min(n, q.n)
	first := min(n, pipeSize-q.start)
	move(to, directMap+q.memory+q.start, first)
	move(to+first, directMap+q.memory, n-first)
	q.start, q.n = (q.start+n)%pipeSize, q.n-n
	k.changed(o)
	return n
}

func (k *kernel) writePipe(p *processor, o *openFile, from, n uint64) uint64 {
	const sigPIPE = 13
	q := &k.pipes[o.pipe]
	switch {
	case q.readers == 0:
		k.signal(k.current(p), sigPIPE)
		return epipe
	case q.n == pipeSize && o.flags&flagNonBlock != 0:
		return eagain
	case q.n == pipeSize:
		k.sleepAgain(p, waitEvent, -1, 0)
		return 0 // to no one
	}
	n = min(n, pipeSize-q.n)
	end := (q.start + q.n) % pipeSize
	first := min(n, pipeSize-end)
	move(directMap+q.memory+end, from, first)
	move(directMap+q.memory, from+first, n-first)
	q.n += n
	k.changed(o)
	return n
}
