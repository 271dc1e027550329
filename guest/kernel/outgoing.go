//go:build linux && amd64

package kernel

import "unsafe"

// What comes out of the guest: when its program has ended, the files and directories that the image names go through the
// second serial port, as an archive: cpio, "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
// Names in it are those of the image, with what is below a directory after them. What is not there is left out, and so
// are symbolic links, pipes and devices. Of hard links each is a file.

// sendOutgoing sends that archive.
func (k *kernel) sendOutgoing() {
	if !k.embedded() {
		return
	}
	names := k.payload.bytes(payloadOutgoing)
	if len(names) == 0 {
		return
	}
	for len(names) > 0 {
		n := 0
		for n < len(names) && names[n] != 0 {
			n++
		}
		links := 0
		if w, errno := k.walk(rootNode, names[:n], followLast, &links); errno == 0 && w.node != 0 {
			k.sendTree(w.node, names[:n])
		}
		names = names[min(n+1, len(names)):]
	}
	k.sendEntry(0, bytesOf("TRAILER!!!"), nil)
}

// sendTree sends a node, which is called so, and all that is below it.
func (k *kernel) sendTree(top uint32, name []byte) {
	for number := top; number != 0; {
		n := k.node(k.named(number))
		isDirectory := n.mode&typeMask == typeDir
		if isDirectory || n.mode&typeMask == typeRegular {
			if below, ok := k.below(number, top); ok {
				k.sendEntry(k.named(number), name, below)
			}
		}
		if isDirectory && n.child != 0 {
			number = n.child
			continue
		}
		for number != top && k.node(number).next == 0 {
			number = k.node(number).parent
		}
		if number == top {
			return
		}
		number = k.node(number).next
	}
}

// below is the path from a directory to a node in it, beginning with a slash; nothing for the directory itself. It is there
// until the next call. A path longer than any that the program could name is not ok.
func (k *kernel) below(number, directory uint32) (path []byte, ok bool) {
	end := address(&k.pathBuffer) + uint64(len(k.pathBuffer))
	start := end
	for ; number != directory; number = k.node(number).parent {
		n := k.node(number)
		if n.nameSize+1 > start-address(&k.pathBuffer) {
			return nil, false
		}
		start -= n.nameSize
		move(start, address(&n.name), n.nameSize)
		start--
		*(*byte)(pointer(start)) = '/'
	}
	return unsafe.Slice((*byte)(pointer(start)), end-start), true
}

// sendEntry sends a header, the two parts of a name, and the contents of a node that is a file.
func (k *kernel) sendEntry(number uint32, name, below []byte) {
	mode, size := uint64(0), uint64(0)
	if number != 0 {
		n := k.node(number)
		mode = uint64(n.mode)
		if n.mode&typeMask == typeRegular {
			size = n.size
		}
	}
	nameSize := uint64(len(name)+len(below)) + 1
	k.sendText("070701")
	// Inode, mode, owner, group, links, time, size, four numbers of devices, size of the name, checksum.
	for _, v := range [...]uint64{uint64(number), mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameSize, 0} {
		for shift := 28; shift >= 0; shift -= 4 {
			k.sendByte(com2, "0123456789abcdef"[v>>shift&15])
		}
	}
	const header = 110
	k.send(com2, addressOfBytes(name), uint64(len(name)))
	k.send(com2, addressOfBytes(below), uint64(len(below)))
	k.sendZeros(1 + -(header+nameSize)&3)
	for offset := uint64(0); offset < size; offset += pageSize {
		piece := min(pageSize, size-offset)
		if pa := k.page(nil, k.node(number), offset, false); pa != 0 {
			k.send(com2, directMap+pa, piece)
		} else {
			k.sendZeros(piece)
		}
	}
	k.sendZeros(-size & 3)
}

func (k *kernel) sendText(s string) {
	k.send(com2, uint64(uintptr(unsafe.Pointer(unsafe.StringData(s)))), uint64(len(s)))
}

func (k *kernel) sendZeros(n uint64) {
	for range n {
		k.sendByte(com2, 0)
	}
}
