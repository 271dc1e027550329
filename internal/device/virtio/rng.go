package virtio

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

const (
	idRNG  = 4       // 5.4
	maxRNG = 4 << 10 // bytes that one request gets: Linux asks for 64 or so
)

type rng struct{ random *rand.ChaCha8 }

// NewRNG makes a source of randomness, all of which follows from the seed.
func NewRNG(w Wiring, seed uint64) *Device {
	var key [32]byte // the label keeps this generator apart from others of the same seed
	copy(key[8:], "tacit virtio-rng")
	binary.LittleEndian.PutUint64(key[:], seed)
	const other = 0xFF0000
	return newDevice(w, &rng{rand.NewChaCha8(key)}, other)
}

func (*rng) id() uint16       { return idRNG }
func (*rng) queues() int      { return 1 }
func (*rng) takes(int) bool   { return true }
func (*rng) features() uint64 { return 0 }
func (*rng) config() []byte   { return nil }

func (r *rng) serve(d *Device, _ int, c *chain) {
	b := make([]byte, min(c.in, maxRNG))
	_, _ = r.random.Read(b) // it never fails
	if err := c.write(b); err != nil {
		d.refused(fmt.Errorf("a buffer for randomness: %w", err))
		return
	}
	d.traffic.Read += uint64(len(b))
}
