package accept_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
)

// The benchmarks work on 4 PiB of memory, all that 52 bits address: a bitmap of 256 MiB, far more than a cache holds.
// MB/s are bytes of the bitmap.
//
//	go test ./accept -run '^$' -bench .

var fourPiB = accept.Range{Start: 0, End: 4 * piB}

func newBitmap(tb testing.TB, span accept.Range) (accept.Bitmap, []byte) {
	tb.Helper()
	h := accept.HeaderFor(span)
	bits := make([]byte, h.Size)
	m, err := h.Bitmap(bits)
	if err != nil {
		tb.Fatal(err)
	}
	return m, bits
}

// newWrittenBitmap returns a bitmap over 4 PiB that has been written once: before that, the system gives no memory
// to it, and reads would find one page of zeros in the cache.
func newWrittenBitmap(tb testing.TB) (accept.Bitmap, []byte) {
	m, bits := newBitmap(tb, fourPiB)
	m.Mark(fourPiB)
	return m, bits
}

// readMemory reads every byte of b as fast as one processor can: with the standard library's search, in vector
// instructions, for a byte that is not there.
func readMemory(b []byte) bool { return bytes.IndexByte(b, 0x42) < 0 }

// touchMemory reads a byte of each cache line of b, in four streams: all that memory can deliver to one processor.
func touchMemory(b []byte) (sum int) {
	quarter := len(b) / 4
	for i := 0; i < quarter; i += 64 {
		sum += int(b[i]) + int(b[i+quarter]) + int(b[i+2*quarter]) + int(b[i+3*quarter])
	}
	return sum
}

func BenchmarkReadMemory(b *testing.B) {
	_, bits := newWrittenBitmap(b)
	b.Run("every-byte", func(b *testing.B) {
		b.SetBytes(int64(len(bits)))
		for b.Loop() {
			if !readMemory(bits) {
				b.Fatal("0x42 is in the bitmap")
			}
		}
	})
	b.Run("every-line", func(b *testing.B) {
		b.SetBytes(int64(len(bits)))
		for b.Loop() {
			if touchMemory(bits) != len(bits)/64*0xff {
				b.Fatal("not all bits are set")
			}
		}
	})
}

// scan measures pass, which reads the whole bitmap. It reports read-bandwidth: how fast that is, where 1 is the speed
// of readMemory. The two alternate, so that what else the machine is doing disturbs both alike.
func scan(b *testing.B, prepare func(accept.Bitmap), pass func(accept.Bitmap) bool) {
	m, bits := newWrittenBitmap(b)
	prepare(m)
	b.SetBytes(int64(len(bits)))
	var plain, own time.Duration
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		ok := readMemory(bits)
		plain += time.Since(start)
		b.StartTimer()
		start = time.Now()
		ok = pass(m) && ok
		own += time.Since(start)
		if !ok {
			b.Fatal("wrong answer")
		}
	}
	b.ReportMetric(float64(plain)/float64(own), "read-bandwidth")
}

func clearAll(m accept.Bitmap) { m.Clear(fourPiB) }
func keepAll(accept.Bitmap)    {}

func BenchmarkAny(b *testing.B) {
	scan(b, clearAll, func(m accept.Bitmap) bool { return !m.Any(fourPiB) })
}

func BenchmarkAll(b *testing.B) {
	scan(b, keepAll, func(m accept.Bitmap) bool { return m.All(fourPiB) })
}

func BenchmarkCount(b *testing.B) {
	scan(b, keepAll, func(m accept.Bitmap) bool { return m.Count(fourPiB) == 4*piB/accept.UnitSize })
}

// A run for every TiB: a machine of many large guests' worth of memory.
func BenchmarkRuns(b *testing.B) {
	holes := func(m accept.Bitmap) {
		for at := uint64(0); at < 4*piB; at += tiB {
			m.Clear(accept.Range{Start: at, End: at + 4*miB})
		}
	}
	scan(b, holes, func(m accept.Bitmap) bool { return runs(m) == 4*piB/tiB })
}

// The worst that a bitmap can hold, every other unit, over 64 TiB.
func BenchmarkRunsOfOneUnit(b *testing.B) {
	m, bits := newBitmap(b, accept.Range{Start: 0, End: 64 * tiB})
	for i := range bits {
		bits[i] = 0x55
	}
	b.SetBytes(int64(len(bits)))
	n := 0
	for b.Loop() {
		n += runs(m)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/run")
}

func runs(m accept.Bitmap) (n int) {
	for range m.Runs(m.Span()) {
		n++
	}
	return n
}

func BenchmarkMark(b *testing.B)  { change(b, accept.Bitmap.Mark) }
func BenchmarkClear(b *testing.B) { change(b, accept.Bitmap.Clear) }

func change(b *testing.B, f func(accept.Bitmap, accept.Range)) {
	m, bits := newWrittenBitmap(b)
	b.SetBytes(int64(len(bits)))
	for b.Loop() {
		f(m, fourPiB)
	}
}

// BenchmarkAccept marks 4 MiB, as Linux's page allocator takes them, and accepts them.
func BenchmarkAccept(b *testing.B) {
	m, _ := newBitmap(b, accept.Range{Start: 0, End: 64 * giB})
	block := accept.Range{Start: 32 * giB, End: 32*giB + 4*miB}
	platform := accept.DriverFunc(func(accept.Range) error { return nil })
	for b.Loop() {
		m.Mark(block)
		if err := m.Accept(accept.Guard(block), platform); err != nil {
			b.Fatal(err)
		}
	}
}
