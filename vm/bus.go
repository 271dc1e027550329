package vm

// A bus is the board as processors reach it. What they do to a device may have it act earlier than was known when the run under
// way began, such as a disk that is told of a request: the run ends then, and not where it would have ended anyhow, which
// depends on how often somebody looks whether it is to stop.
type bus struct{ m *Machine }

func (b bus) In(port uint16, size int) uint32 {
	v := b.m.board.In(port, size)
	b.arm()
	return v
}

func (b bus) Out(port uint16, size int, value uint32) {
	b.m.board.Out(port, size, value)
	b.arm()
}

func (b bus) Read(gpa uint64, size int) uint64 {
	v := b.m.board.Read(gpa, size)
	b.arm()
	return v
}

func (b bus) Write(gpa uint64, size int, value uint64) {
	b.m.board.Write(gpa, size, value)
	b.arm()
}

func (b bus) Claims(gpa uint64) bool { return b.m.board.Claims(gpa) }

// arm has the processor's run end when the next device acts.
func (b bus) arm() {
	if at, ok := b.m.board.NextEvent(); ok {
		b.m.cpu().Shorten(at)
	}
}
