//go:build linux && amd64

package kernel

// Reading and writing open files.

// Character devices of the file system, by what they do.
const (
	deviceNull = iota + 1
	deviceZero
	deviceRandom
	deviceConsole
)

// read serves read, and pread64 where there is a place to read from, which the file's own is then left alone for.
func (k *kernel) read(p *processor, descriptor, to, n uint64, from *uint64) uint64 {
	o := k.file(descriptor)
	if o == nil || o.flags&flagAccess == flagWriteOnly || o.flags&flagPath != 0 {
		return ebadf
	}
	n = min(n, 1<<30)
	if !k.reach(to, n, canWrite) {
		return efault
	}
	switch o.kind {
	case openConsole:
		return k.readConsole(p, to, n)
	case openEvent:
		if n < 8 {
			return einval
		}
		if o.place == 0 {
			return eagain
		}
		*at(to), o.place = o.place, 0
		return 8
	case openReader:
		return k.readPipe(p, o, to, n)
	case openNode:
	default:
		return einval
	}
	f := k.node(o.node)
	switch f.mode & typeMask {
	case typeDir:
		return eisdir
	case typeChar:
		switch f.device {
		case deviceZero:
			k.clear(to, n)
			return n
		case deviceRandom:
			return k.getrandom(to, n)
		case deviceConsole:
			return k.readConsole(p, to, n)
		}
		return 0
	}
	if from != nil {
		return k.readNode(f, *from, to, n)
	}
	n = k.readNode(f, o.place, to, n)
	o.place += n
	return n
}

// write serves write, and pwrite64.
func (k *kernel) write(p *processor, descriptor, from, n uint64, to *uint64) uint64 {
	o := k.file(descriptor)
	if o == nil || o.flags&flagAccess == 0 && o.kind == openNode {
		return ebadf
	}
	n = min(n, 1<<30)
	if !k.reach(from, n, canRead) {
		return efault
	}
	switch o.kind {
	case openConsole:
		k.send(com1, from, n)
		return n
	case openReport:
		k.send(com2, from, n)
		return n
	case openEvent:
		if n < 8 {
			return einval
		}
		o.place += *at(from)
		k.changed(o)
		return 8
	case openWriter:
		return k.writePipe(p, o, from, n)
	case openNode:
	default:
		return einval
	}
	f := k.node(o.node)
	if f.mode&typeMask == typeChar {
		if f.device == deviceConsole {
			k.send(com1, from, n)
		}
		return n
	}
	if to != nil {
		return k.writeNode(p, f, *to, from, n)
	}
	if o.flags&flagAppend != 0 {
		o.place = f.size
	}
	done := k.writeNode(p, f, o.place, from, n)
	if done <= n {
		o.place += done
	}
	return done
}

// vector serves readv and writev, which are so many reads or writes.
func (k *kernel) vector(p *processor, descriptor, list, count uint64, writes bool) uint64 {
	if count > 1024 {
		return einval
	}
	if !k.reach(list, 16*count, canRead) {
		return efault
	}
	done := uint64(0)
	for i := range count {
		a, n := *at(list + 16*i), *at(list + 16*i + 8)
		if n == 0 {
			continue
		}
		moved := uint64(0)
		if writes {
			moved = k.write(p, descriptor, a, n, nil)
		} else {
			moved = k.read(p, descriptor, a, n, nil)
		}
		if moved > n { // an error
			if done > 0 {
				return done
			}
			return moved
		}
		done += moved
		if moved < n {
			break
		}
	}
	return done
}

func (k *kernel) seek(descriptor, offset, whence uint64) uint64 {
	const set, current, end = 0, 1, 2
	o := k.file(descriptor)
	if o == nil {
		return ebadf
	}
	if o.kind != openNode {
		return espipe
	}
	switch f := k.node(o.node); whence {
	case set:
	case current:
		offset += o.place
	case end:
		offset += f.size
	default:
		return einval
	}
	if offset >= 1<<63 {
		return einval
	}
	o.place = offset
	return offset
}

// readConsole reads what has been typed, all of it also where the end has been seen before the program reads; without a
// keyboard there is an end.
func (k *kernel) readConsole(p *processor, to, n uint64) uint64 {
	if !k.hasInput || n == 0 {
		return 0
	}
	k.lookForInput()
	if k.typedN == 0 {
		if !k.inputEnded {
			k.sleepAgain(p, waitInput, -1, 0)
		}
		return 0
	}
	n = min(n, k.typedN)
	for i := range n {
		*(*byte)(pointer(to + i)) = k.typed[i]
	}
	copy(k.typed[:], k.typed[n:k.typedN])
	k.typedN -= n
	return n
}

// lookForInput takes what the first serial port has received. A line goes to who reads; control-D ends the input.
func (k *kernel) lookForInput() {
	const received, endOfTransmission = 1, 4
	if !k.hasInput {
		return
	}
	before := k.typedN
	for range 64 {
		if k.inputEnded || k.typedN == uint64(len(k.typed)) || k.in(com1+uartLineStatus)&received == 0 {
			break
		}
		c := k.in(com1)
		switch c {
		case endOfTransmission:
			k.inputEnded = true
			k.wake(waitInput, maxThreads)
			return
		case '\r':
			c = '\n'
		}
		k.typed[k.typedN] = c
		k.typedN++
	}
	if k.typedN != before {
		k.wake(waitInput, maxThreads)
	}
}
