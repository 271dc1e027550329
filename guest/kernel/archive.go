//go:build linux && amd64

package kernel

// makeFiles makes the file system: a few directories and devices that programs expect, and what the image has for it.
func (k *kernel) makeFiles(p *processor) {
	k.openStandard()
	k.umask = 0o022
	k.makeNode(p, rootNode, "", typeDir|0o755)
	k.useNode(rootNode)
	k.tree.here = rootNode
	for _, name := range [...]string{"dev", "tmp"} {
		k.makeNode(p, rootNode, name, typeDir|0o777)
	}
	dev := k.childOf(rootNode, bytesOf("dev"))
	for _, d := range [...]struct {
		name   string
		device uint32
	}{{"null", deviceNull}, {"zero", deviceZero}, {"random", deviceRandom}, {"urandom", deviceRandom}, {"console", deviceConsole}, {"tty", deviceConsole},
		{"stdin", deviceConsole}, {"stdout", deviceConsole}, {"stderr", deviceConsole}} {
		k.node(k.makeNode(p, dev, d.name, typeChar|0o666)).device = d.device
	}
	if !k.embedded() {
		return
	}
	k.unpack(p, k.payload.bytes(payloadFiles))
	k.makeProgram(p)
	k.makeProc(p)
	here := k.payload.bytes(payloadHere)
	links := 0
	if w, errno := k.walk(rootNode, here, followLast, &links); errno == 0 && w.node != 0 {
		k.do(w.node, enterDirectory, 0)
	}
}

// makeNode is newNode for what a program has to find.
func (k *kernel) makeNode(p *processor, parent uint32, name string, mode uint32) uint32 {
	number := k.newNode(p, parent, bytesOf(name), mode)
	if number == 0 {
		k.fatal(errNoMemory)
	}
	return number
}

// unpack makes files of an archive: cpio, "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
func (k *kernel) unpack(p *processor, archive []byte) {
	const header, modeAt, timeAt, sizeAt, nameAt = 110, 14, 46, 54, 94
	for len(archive) >= header {
		mode, time, size, nameSize := hexOf(archive[modeAt:]), hexOf(archive[timeAt:]), hexOf(archive[sizeAt:]), hexOf(archive[nameAt:])
		dataAt := (header + nameSize + 3) &^ 3
		next := (dataAt + size + 3) &^ 3
		if nameSize == 0 || next > uint64(len(archive)) {
			k.fatal(errPayload)
		}
		name := archive[header : header+nameSize-1]
		if string(name) == "TRAILER!!!" {
			return
		}
		links := 0
		w, errno := k.walk(rootNode, name, keepLast, &links)
		if errno != 0 {
			k.fatal(errPayload)
		}
		if w.node == 0 {
			if w.node = k.newNode(p, w.parent, w.name, uint32(mode)); w.node == 0 {
				k.fatal(errNoMemory)
			}
		}
		n := k.node(w.node)
		if n.mode&typeMask != typeDir && size > 0 {
			if k.writeNode(p, n, 0, addressOfBytes(archive[dataAt:]), size) != size {
				k.fatal(errNoMemory)
			}
		}
		n.accessed, n.modified = time*1e9, time*1e9
		archive = archive[next:]
	}
}

// hexOf reads eight hexadecimal digits.
func hexOf(b []byte) (v uint64) {
	for _, c := range b[:8] {
		v <<= 4
		switch {
		case c >= '0' && c <= '9':
			v |= uint64(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v |= uint64(c|0x20-'a') + 10
		}
	}
	return v
}
