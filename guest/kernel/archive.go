//go:build linux && amd64

package kernel

// makeFiles makes the file system: a few directories and devices that programs expect, and what the image has for it.
func (k *kernel) makeFiles(p *processor) {
	k.openStandard()
	k.umask = 0o022
	k.newNode(p, rootNode, nil, typeDir|0o755)
	k.useNode(rootNode)
	k.tree.here = rootNode
	for _, name := range [...]string{"dev", "tmp", "proc"} {
		k.newNode(p, rootNode, bytesOf(name), typeDir|0o777)
	}
	dev := k.childOf(rootNode, bytesOf("dev"))
	for _, d := range [...]struct {
		name   string
		device uint32
	}{{"null", deviceNull}, {"zero", deviceZero}, {"random", deviceRandom}, {"urandom", deviceRandom}, {"console", deviceConsole}, {"tty", deviceConsole}} {
		k.node(k.newNode(p, dev, bytesOf(d.name), typeChar|0o666)).device = d.device
	}
	if !k.embedded() {
		return
	}
	k.unpack(p, k.payload.bytes(payloadFiles))
	self := k.newNode(p, k.childOf(rootNode, bytesOf("proc")), bytesOf("self"), typeDir|0o555)
	exe := k.node(k.newNode(p, self, bytesOf("exe"), typeLink|0o777))
	const program = "/program"
	k.writeNode(p, exe, 0, addressOfBytes(bytesOf(program)), uint64(len(program)))
	here := k.payload.bytes(payloadHere)
	links := 0
	if w, errno := k.walk(rootNode, here, true, &links); errno == 0 && w.node != 0 {
		k.do(w.node, enterDirectory, 0)
	}
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
		w, errno := k.walk(rootNode, name, false, &links)
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
		n.modified = time * 1e9
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
