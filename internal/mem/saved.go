package mem

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
)

// The contents of memory, as a saved machine has them: sections of some pages that have been written to, in the order of
// planes and addresses. Each has a list of runs of pages, and their bytes, compressed. Which pages are [Memory.Backed] is
// state, also where they hold zeros: what a run may take of the host's memory is counted by it.

const (
	// stateVersion changes with what [Memory.Save] writes.
	stateVersion = 1

	// sectionName is the name of its sections.
	sectionName = "memory"

	tablesName = "tables"

	sectionPages = 256 // one mebibyte
	sectionBytes = sectionPages * PageSize
)

// A run is pages that follow one another, by number.
type run struct{ first, n uint64 }

// A batch is the pages of a section.
type batch struct {
	plane physical.Plane
	runs  []run
	pages uint64
}

func (b *batch) carry(s *state.Stream) {
	state.Numbers(s, &b.plane)
	s.Check(b.plane < physical.Planes, "a plane that does not exist")
	at := uint64(0)
	state.Slice(s, &b.runs, sectionPages, func(r *run) {
		gap := r.first - at
		state.Numbers(s, &gap, &r.n)
		if s.Reading() {
			r.first = at + gap
		}
		s.Check(r.n > 0 && r.n <= sectionPages && r.first >= at && r.first <= math.MaxUint64>>PageShift, "a run of pages that does not exist")
		at = r.first + r.n
	})
	if s.Reading() {
		for _, r := range b.runs {
			b.pages += r.n
		}
		s.Check(b.pages > 0 && b.pages <= sectionPages, "too many pages in a section")
	}
}

// carryTables carries for which memory the host has had to make page tables, which counts as what backed pages do.
func (m *Memory) carryTables(s *state.Stream) {
	end := m.size >> tableShift
	for i := range m.plane {
		var runs []run
		for at := uint64(0); !s.Reading() && at < end; {
			first, n := m.plane[i].tables.nextRun(at, end)
			if n == 0 {
				break
			}
			runs, at = append(runs, run{first, n}), first+n
		}
		state.Slice(s, &runs, int(end), func(r *run) { state.Numbers(s, &r.first, &r.n) })
		if !s.Reading() {
			continue
		}
		at := uint64(0)
		for _, r := range runs {
			if r.first < at || r.first >= end || r.n > end-r.first {
				s.Fail("page tables for memory that does not exist")
				return
			}
			for at = r.first; at < r.first+r.n; at++ {
				m.reach(FrameOf(physical.Plane(i), at<<tableShift))
			}
		}
	}
}

// batches returns the pages that are to be saved.
func (m *Memory) batches() (all []batch) {
	for p := range physical.Plane(physical.Planes) {
		b := batch{plane: p}
		for at, end := uint64(0), m.size>>PageShift; at < end; {
			first, n := m.plane[p].backed.nextRun(at, min(end, at+math.MaxUint32))
			if n == 0 {
				break
			}
			for n > 0 {
				k := min(n, sectionPages-b.pages)
				b.runs, b.pages = append(b.runs, run{first, k}), b.pages+k
				first, n = first+k, n-k
				if b.pages == sectionPages {
					all, b = append(all, b), batch{plane: p}
				}
			}
			at = first
		}
		if b.pages > 0 {
			all = append(all, b)
		}
	}
	return all
}

// encoders and decoders are of one goroutine each: a frame is made and read at once.
var (
	encoders = sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
		if err != nil {
			panic("BUG: " + err.Error()) // the options are constants
		}
		return e
	}}
	decoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(sectionBytes), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return d
	}}
)

func (m *Memory) pack(b batch) []byte {
	s := state.Out()
	b.carry(s)
	plain := make([]byte, 0, b.pages<<PageShift)
	for _, r := range b.runs {
		plain = append(plain, m.plane[b.plane].mapping[r.first<<PageShift:][:r.n<<PageShift]...)
	}
	e := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(e)
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(s.Bytes())))
	return e.EncodeAll(plain, append(head, s.Bytes()...))
}

// Save writes the contents of both planes.
func (m *Memory) Save(w *state.Writer) {
	w.Write(tablesName, stateVersion, m.carryTables)
	all := m.batches()
	workers := runtime.GOMAXPROCS(0)
	for len(all) > 0 && w.Err() == nil {
		some := all[:min(len(all), 8*workers)]
		all = all[len(some):]
		packed := make([][]byte, len(some))
		each(len(some), workers, func(i int) { packed[i] = m.pack(some[i]) })
		for _, p := range packed {
			w.Section(sectionName, stateVersion, p)
		}
	}
}

// Load reads what Save wrote, as far as sections are its own, and no more than so many bytes of pages in both planes
// together: [ErrTooMuch]. The memory has to be new.
func (m *Memory) Load(r *state.Reader, most uint64) error {
	if err := r.Read(tablesName, stateVersion, m.carryTables); err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	pages := uint64(0)
	last := Frame(0) // beyond which the next page has to be
	for {
		var some []section
		for len(some) < 8*workers {
			name, err := r.Next()
			if err != nil {
				return err
			}
			if name != sectionName {
				break
			}
			content, err := r.Section(sectionName, stateVersion)
			if err != nil {
				return err
			}
			sec, err := m.unpackHead(content, &last)
			if err != nil {
				return fmt.Errorf("%w: section %s: %w", state.ErrDamaged, sectionName, err)
			}
			if pages += sec.pages; pages > most>>PageShift {
				return ErrTooMuch
			}
			some = append(some, sec)
		}
		if len(some) == 0 {
			return nil
		}
		errs := make([]error, len(some))
		each(len(some), workers, func(i int) { errs[i] = m.unpack(some[i]) })
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("%w: section %s: %w", state.ErrDamaged, sectionName, errs[0])
		}
	}
}

// ErrTooMuch says that more pages have been saved than may be loaded.
var ErrTooMuch = errors.New("more memory than the limit allows")

type section struct {
	batch
	packed []byte
}

// unpackHead reads which pages are in a section and backs them. Each comes once, and after those before it.
func (m *Memory) unpackHead(content []byte, last *Frame) (sec section, err error) {
	n := uint64(math.MaxUint64)
	if len(content) >= 4 {
		n = uint64(binary.LittleEndian.Uint32(content))
	}
	if n > uint64(len(content)) || n+4 > uint64(len(content)) {
		return sec, errors.New("it ends too early")
	}
	s := state.In(content[4 : 4+n])
	if sec.carry(s); s.End() != nil {
		return sec, s.End()
	}
	for _, r := range sec.runs {
		if r.first > m.size>>PageShift || r.n > m.size>>PageShift-r.first {
			return sec, errOutside
		}
		for page := r.first; page < r.first+r.n; page++ {
			f := FrameOf(sec.plane, page<<PageShift)
			m.reach(f)
			m.Back(f)
		}
	}
	first, end := order(sec.plane, sec.runs[0].first), sec.runs[len(sec.runs)-1]
	if first < *last {
		return sec, errors.New("pages that come twice")
	}
	*last = order(sec.plane, end.first+end.n)
	sec.packed = content[4+n:]
	return sec, nil
}

// order numbers the pages of both planes as they are saved.
func order(p physical.Plane, page uint64) Frame { return Frame(uint64(p)<<(64-PageShift) | page) }

func (m *Memory) unpack(sec section) error {
	d := decoders.Get().(*zstd.Decoder)
	defer decoders.Put(d)
	plain, err := d.DecodeAll(sec.packed, make([]byte, 0, sec.pages<<PageShift))
	if err != nil {
		return err
	}
	if uint64(len(plain)) != sec.pages<<PageShift {
		return fmt.Errorf("%d pages have %d bytes", sec.pages, len(plain))
	}
	for _, r := range sec.runs {
		for page := r.first; page < r.first+r.n; page++ {
			if b := plain[:PageSize]; !bytes.Equal(b, zeroPage[:]) { // what is not written to takes none of the host's memory
				copy(m.plane[sec.plane].mapping[page<<PageShift:], b)
			}
			plain = plain[PageSize:]
		}
	}
	return nil
}

var zeroPage [PageSize]byte

// each calls f with each number below n, some at a time.
func each(n, workers int, f func(i int)) {
	var next, done = make(chan int), sync.WaitGroup{}
	for range min(n, workers) {
		done.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	done.Wait()
}
