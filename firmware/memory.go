package firmware

import (
	"hash/crc32"
)

// Services that work on a stretch of memory do so in steps, each a call of the service: arguments move on as an
// instruction's do under a REP prefix. Thus a guest that asks for terabytes does not keep the machine from looking at
// its limits.
const step = 1 << 20

// copyMem(*Destination, *Source, Length); the two may overlap.
func (f *Firmware) copyMem(a args) error {
	to, from, n := a[0], a[1], a[2]
	if n == 0 || to == from {
		return nil
	}
	k := min(n, step)
	b := make([]byte, k)
	backwards := to-from < n // the destination begins within the source
	at := uint64(0)
	if backwards {
		at = n - k
	}
	if err := f.read(from+at, b); err != nil {
		return err
	}
	if err := f.write(to+at, b); err != nil {
		return err
	}
	gpr := f.cpu.GPR()
	gpr[r8] = n - k
	if !backwards {
		gpr[rcx], gpr[rdx] = to+k, from+k
	}
	return f.unlessDone(n - k)
}

// setMem(*Buffer, Size, Value)
func (f *Firmware) setMem(a args) error {
	to, n, value := a[0], a[1], byte(a[2])
	if n == 0 {
		return nil
	}
	k := min(n, step)
	b := make([]byte, k)
	if value != 0 {
		for i := range b {
			b[i] = value
		}
	}
	if err := f.write(to, b); err != nil {
		return err
	}
	gpr := f.cpu.GPR()
	gpr[rcx], gpr[rdx] = to+k, n-k
	return f.unlessDone(n - k)
}

func (f *Firmware) unlessDone(left uint64) error {
	if left > 0 {
		return errAgain
	}
	return nil
}

// calculateCrc32(*Data, DataSize, *Crc32)
func (f *Firmware) calculateCrc32(a args) error {
	from, n := a[0], a[1]
	const most = 256 << 20
	if n == 0 || n > most {
		return invalidParameter
	}
	var sum uint32
	b := make([]byte, min(n, step))
	for n > 0 {
		b = b[:min(n, step)]
		if err := f.read(from, b); err != nil {
			return err
		}
		sum = crc32.Update(sum, crc32.IEEETable, b)
		from, n = from+uint64(len(b)), n-uint64(len(b))
	}
	return f.store32(a[2], sum)
}
