package device

// ring is a queue of bytes of a capacity that never grows.
type ring struct {
	bytes  []byte
	oldest int
	length int
}

func newRing(capacity int) ring { return ring{bytes: make([]byte, capacity)} }

func (r *ring) room() int { return len(r.bytes) - r.length }

// push appends a byte; there must be room.
func (r *ring) push(b byte) {
	r.bytes[(r.oldest+r.length)%len(r.bytes)] = b
	r.length++
}

// pop removes and returns the oldest byte; there must be one.
func (r *ring) pop() byte {
	b := r.bytes[r.oldest]
	r.oldest = (r.oldest + 1) % len(r.bytes)
	r.length--
	return b
}

func (r *ring) clear() { r.length = 0 }
