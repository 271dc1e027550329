package oracle

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// A Recording is what silicon answered to the first cases of a seed, so that hosts without such silicon can hold the
// interpreter to it: two bytes of checksum a case. It is bound to the tables and the generator as they were.
type Recording struct {
	Seed    uint64
	Inputs  uint32 // checksum of the cases themselves
	Answers []uint16
}

// recordingMagic begins a recording; the number is that of the format.
const recordingMagic = "oracle 1"

// Marshal returns the recording as bytes: the magic, seed (8 bytes), inputs (4), then the answers, all little-endian.
func (r *Recording) Marshal() []byte {
	b := []byte(recordingMagic)
	b = binary.LittleEndian.AppendUint64(b, r.Seed)
	b = binary.LittleEndian.AppendUint32(b, r.Inputs)
	for _, a := range r.Answers {
		b = binary.LittleEndian.AppendUint16(b, a)
	}
	return b
}

// ParseRecording reads what Marshal returned.
func ParseRecording(b []byte) (*Recording, error) {
	const header = len(recordingMagic) + 12
	if len(b) < header || string(b[:len(recordingMagic)]) != recordingMagic || (len(b)-header)%2 != 0 {
		return nil, fmt.Errorf("no recording of the oracle")
	}
	r := &Recording{Seed: binary.LittleEndian.Uint64(b[len(recordingMagic):]), Inputs: binary.LittleEndian.Uint32(b[len(recordingMagic)+8:])}
	for b = b[header:]; len(b) > 0; b = b[2:] {
		r.Answers = append(r.Answers, binary.LittleEndian.Uint16(b))
	}
	return r, nil
}

// input adds the case to a checksum of cases.
func (c *Case) input(sum uint32) uint32 {
	b := slices.Clone(c.Code)
	for _, v := range c.In.GPR {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, c.In.RIP)
	b = binary.LittleEndian.AppendUint64(b, c.In.Flags)
	for _, m := range c.Mem {
		b = binary.LittleEndian.AppendUint64(b, m.Addr)
		b = append(b, m.Data...)
	}
	return crc32.Update(sum, crc32.IEEETable, b)
}

// Answer is the checksum of everything that [Case.Compare] compares.
func (c *Case) Answer(o *Outcome) uint16 {
	if o.Err != nil {
		return 0
	}
	le := binary.LittleEndian
	b := []byte{o.Vector}
	b = le.AppendUint32(b, o.comparableCode())
	if o.Vector == vectorPF && !c.Skip.CR2 {
		b = le.AppendUint64(b, o.CR2)
	}
	for _, v := range o.GPR {
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint64(b, o.RIP)
	b = le.AppendUint64(b, o.Flags&^c.undefinedFlags(o))
	b = le.AppendUint64(b, o.FSBase)
	b = le.AppendUint64(b, o.GSBase)
	masked := o.State
	masked.X87.FSW &^= c.Skip.FSW
	var fx [fxBytes]byte
	masked.storeFX(fx[:])
	sum := crc32.Update(crc32.ChecksumIEEE(b), crc32.IEEETable, fx[:])
	arena := o.Arena
	if len(c.Skip.Mem) > 0 {
		arena = slices.Clone(arena)
		for _, s := range c.Skip.Mem {
			lo, hi := max(s.Addr, arenaBase), min(s.Addr+uint64(s.Len), arenaEnd)
			if lo < hi {
				clear(arena[lo-arenaBase : hi-arenaBase])
			}
		}
	}
	sum = crc32.Update(sum, crc32.IEEETable, arena)
	return uint16(sum ^ sum>>16)
}

// Record asks silicon about the first n cases.
func Record(g *Generator, n int) (*Recording, error) {
	s, err := NewSilicon()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r := &Recording{Seed: g.Seed}
	outcomes := make([]Outcome, BatchSize)
	for i := 0; i < n; i += BatchSize {
		var cases []*Case
		for j := i; j < min(i+BatchSize, n); j++ {
			cases = append(cases, g.Case(uint64(j)))
		}
		if err := s.Run(cases, outcomes[:len(cases)]); err != nil {
			return nil, err
		}
		for j, c := range cases {
			if err := outcomes[j].Err; err != nil {
				return nil, fmt.Errorf("case %d: %w", i+j, err)
			}
			r.Inputs = c.input(r.Inputs)
			r.Answers = append(r.Answers, c.Answer(&outcomes[j]))
		}
	}
	return r, nil
}

// Check runs the recorded cases in the interpreter and calls differ with each that is not answered as silicon did. The
// error says that the recording is of other cases than the tables make now.
func (r *Recording) Check(g *Generator, in *Interpreter, differ func(number uint64, c *Case, got *Outcome)) error {
	var inputs uint32
	for i := range r.Answers {
		inputs = g.Case(uint64(i)).input(inputs)
	}
	if inputs != r.Inputs {
		return fmt.Errorf("the tables or the generator have changed since the recording was made")
	}
	for i, want := range r.Answers {
		c := g.Case(uint64(i))
		var got Outcome
		run(in, c, &got)
		if got.Err != nil || c.Answer(&got) != want {
			differ(uint64(i), c, &got)
		}
	}
	return nil
}
