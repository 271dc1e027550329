package mem

// A CodeHolder remembers what has been decoded from a memory's frames. A memory has one, whatever the number of its
// processors: bytes that any of them changes, or a device, or firmware, are changed for all.
type CodeHolder interface {
	// CodeChanged hears that n bytes at offset in f, a frame that is marked, are about to be changed or just have been.
	CodeChanged(f Frame, offset, n int)
	// Close lets go of what the holder has of the host's beside the Go heap. It comes with the memory's own.
	Close() error
}

// codeMarks are the frames of both planes from which instructions have been decoded.
type codeMarks struct {
	frames bitmap
	holder CodeHolder
}

// CodeHolder returns what remembers the memory's code, nil where nothing does yet.
func (m *Memory) CodeHolder() CodeHolder { return m.code.holder }

// HoldCode makes h the memory's code holder.
func (m *Memory) HoldCode(h CodeHolder) { m.code.holder = h }

// MarkCode marks a frame as one from which instructions have been decoded: the holder then hears of every change of its
// bytes that is made through Write and Release, or reported by CodeWritten.
func (m *Memory) MarkCode(f Frame) { m.code.frames.set(uint64(f)) }

// UnmarkCode takes the mark back.
func (m *Memory) UnmarkCode(f Frame) { m.code.frames.clear(uint64(f)) }

// HasCode says whether the frame is marked.
func (m *Memory) HasCode(f Frame) bool { return m.code.frames.get(uint64(f)) }

// CodeWritten reports a write of n bytes at offset in f that is made through Page's pointer.
func (m *Memory) CodeWritten(f Frame, offset, n int) {
	if m.code.holder != nil && m.HasCode(f) {
		m.code.holder.CodeChanged(f, offset, n)
	}
}
