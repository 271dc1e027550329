//go:build linux && amd64

package kernel

import "unsafe"

// The part of /proc that programs read (Linux, Documentation/filesystems/proc.rst), of the one process that there is. A file
// whose text changes is made when it is opened: what is read is one instant.

// Files that are made when they are opened.
const (
	procMaps = iota + 1
	procStatus
	procSizes
	procMeminfo
	procProcessors
	procUptime
)

// makeProc makes /proc, where the image brings none.
func (k *kernel) makeProc(p *processor) {
	if k.childOf(rootNode, bytesOf("proc")) != 0 {
		return
	}
	const directory = typeDir | 0o555
	proc := k.makeNode(p, rootNode, "proc", directory)
	self := k.makeNode(p, proc, "1", directory)
	system := k.makeNode(p, k.makeNode(p, proc, "sys", directory), "kernel", directory)
	for _, f := range [...]struct {
		directory uint32
		name      string
		mode      uint32
		made      uint32
		text      string
	}{
		{proc, "self", typeLink, 0, "1"},
		{proc, "mounts", typeLink, 0, "self/mounts"},
		{proc, "meminfo", typeRegular, procMeminfo, ""},
		{proc, "cpuinfo", typeRegular, procProcessors, ""},
		{proc, "uptime", typeRegular, procUptime, ""},
		{proc, "version", typeRegular, 0, systemName + " version " + systemRelease + "\n"},
		{self, "exe", typeLink, 0, "/" + programName},
		{self, "maps", typeRegular, procMaps, ""},
		{self, "status", typeRegular, procStatus, ""},
		{self, "statm", typeRegular, procSizes, ""},
		{self, "mounts", typeRegular, 0, "none / tmpfs rw,noatime 0 0\n"},
		{self, "mountinfo", typeRegular, 0, "1 0 0:1 / / rw,noatime - tmpfs none rw\n"},
		{system, "hostname", typeRegular, 0, hostName + "\n"},
		{system, "ostype", typeRegular, 0, systemName + "\n"},
		{system, "osrelease", typeRegular, 0, systemRelease + "\n"},
	} {
		permissions := uint32(0o444)
		if f.mode == typeLink {
			permissions = 0o777
		}
		n := k.node(k.makeNode(p, f.directory, f.name, f.mode|permissions))
		n.device = f.made
		k.writeNode(p, n, 0, addressOfBytes(bytesOf(f.text)), uint64(len(f.text)))
	}
}

// keepWords makes a file of /proc/self of texts that are on the program's stack, each with its 0: what it was started with.
func (k *kernel) keepWords(p *processor, name string, places []uint64) {
	links := 0
	w, errno := k.walk(rootNode, bytesOf("proc/self"), followLast, &links)
	if errno != 0 || w.node == 0 || k.node(w.node).mode&typeMask != typeDir || k.childOf(w.node, bytesOf(name)) != 0 {
		return // a /proc of the image's
	}
	number := k.newNode(p, w.node, bytesOf(name), typeRegular|0o444)
	if number == 0 {
		return
	}
	for _, place := range places {
		n := k.node(number)
		length := uint64(1)
		for *(*byte)(pointer(place + length - 1)) != 0 {
			length++
		}
		k.writeNode(p, n, n.size, place, length)
	}
}

// openProc makes such a file, and opens it. It is gone when it is closed.
func (k *kernel) openProc(p *processor, what, how uint32) uint64 {
	if how&flagAccess != 0 {
		return eacces
	}
	number := k.nameless(p, typeRegular|0o444)
	if number == 0 {
		return enomem
	}
	k.useNode(number)
	w := text{p, k.node(number), false}
	switch what {
	case procMaps:
		w.maps()
	case procStatus:
		w.status()
	case procSizes:
		w.sizes()
	case procMeminfo:
		w.meminfo()
	case procProcessors:
		w.processors()
	case procUptime:
		w.uptime()
	}
	descriptor := uint64(enomem)
	if !w.full {
		descriptor = k.newFile(openNode, number, 0, how)
	}
	k.letGo(number)
	return descriptor
}

// uptime is in seconds; the second number would be that of rest.
func (w *text) uptime() {
	now := k.now()
	w.dec(now / 1e9)
	w.puts(".")
	w.dec(now / 1e8 % 10)
	w.dec(now / 1e7 % 10)
	w.puts(" 0.00\n")
}

// maps has a line for each stretch of the program's address space: where it is, what it allows, and which file is there.
func (w *text) maps() {
	for _, a := range k.space.areas[:k.space.n] {
		for start := a.start; start < a.end; {
			end, m := a.end, k.mappingIn(start, start+1)
			if m != nil {
				end = min(end, m.end)
			} else {
				for i := range k.mappings.n {
					if other := &k.mappings.all[i]; other.node != 0 && other.start > start {
						end = min(end, other.start)
					}
				}
			}
			w.mapped(start, end, a.kind, m)
			start = end
		}
	}
}

func (w *text) mapped(start, end uint64, kind uint8, m *fileMapping) {
	w.hex(start, 8)
	w.puts("-")
	w.hex(end, 8)
	w.puts(" ")
	for _, r := range [...]struct {
		kind uint8
		yes  string
	}{{canRead, "r"}, {canWrite, "w"}, {canRun, "x"}} {
		if kind&r.kind != 0 {
			w.puts(r.yes)
		} else {
			w.puts("-")
		}
	}
	switch {
	case m == nil:
		w.puts("p 00000000 00:00 0")
		if start == programStack {
			w.puts(" [stack]")
		}
	default:
		if m.shared {
			w.puts("s ")
		} else {
			w.puts("p ")
		}
		w.hex(m.offset+start-m.start, 8)
		w.puts(" 00:01 ")
		w.dec(uint64(m.node))
		w.puts(" ")
		if k.node(m.node).parent != 0 { // it has its first name yet
			if path, ok := k.below(m.node, rootNode); ok {
				w.puts(unsafe.String(unsafe.SliceData(path), len(path)))
			}
		}
	}
	w.puts("\n")
}

// status has of Linux's lines those that say something here.
func (w *text) status() {
	threads := uint64(0)
	for i := range k.threadsN {
		if k.threads[i].state != unused {
			threads++
		}
	}
	w.puts("Name:\t" + programName + "\nState:\tR (running)\nTgid:\t1\nPid:\t1\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nVmSize:\t")
	w.dec(k.space.size() / 1024)
	w.puts(" kB\nVmRSS:\t")
	w.dec(k.memory.allocator.Meminfo().Used / 1024)
	w.puts(" kB\nThreads:\t")
	w.dec(threads)
	w.puts("\n")
}

// sizes is statm: pages of address space and of memory, with zeros for what is not counted apart.
func (w *text) sizes() {
	w.dec(k.space.size() / pageSize)
	w.puts(" ")
	w.dec(k.memory.allocator.Meminfo().Used / pageSize)
	w.puts(" 0 0 0 0 0\n")
}

// meminfo has the allocator's books in the fields that Linux has for them.
func (w *text) meminfo() {
	i := k.memory.allocator.Meminfo()
	for _, f := range [...]struct {
		name  string
		bytes uint64
	}{
		{"MemTotal:       ", i.Total}, {"MemFree:        ", i.Total - i.Used}, {"MemAvailable:   ", i.Total - i.Used},
		{"Buffers:        ", 0}, {"Cached:         ", 0}, {"SwapTotal:      ", 0}, {"SwapFree:       ", 0},
		{"Unaccepted:     ", k.memory.tracker.Unaccepted(k.memory.tracker.Bitmap.Span())},
	} {
		w.puts(f.name)
		for rest := uint64(10_000_000); rest > max(f.bytes/1024, 1); rest /= 10 {
			w.puts(" ")
		}
		w.dec(f.bytes / 1024)
		w.puts(" kB\n")
	}
}

// processors is cpuinfo, without what the processor can do, which a program asks CPUID for.
func (w *text) processors() {
	for i := range k.online {
		w.puts("processor\t: ")
		w.dec(i)
		w.puts("\nvendor_id\t: ")
		_, b, c, d := cpuid(0, 0)
		for _, part := range [...]uint32{b, d, c} {
			w.letters(part)
		}
		w.puts("\nmodel name\t: ")
		for leaf := range uint32(3) {
			a, b, c, d := cpuid(0x8000_0002+leaf, 0)
			for _, part := range [...]uint32{a, b, c, d} {
				w.letters(part)
			}
		}
		w.puts("\ncpu cores\t: 1\n\n")
	}
}
