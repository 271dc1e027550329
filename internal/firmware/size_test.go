package firmware

import (
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// Whatever is asked for again and again, firmware's books grow, tell so, and stop at a bound.
func TestBooksAreCounted(t *testing.T) {
	for name, ask := range map[string]func(m *machine, at uint64) uefi.Status{
		"pool": func(m *machine, at uint64) uefi.Status {
			return m.boots(uefi.BSAllocatePool, uint64(uefi.LoaderData), 1, at)
		},
		"events": func(m *machine, at uint64) uefi.Status { return m.boots(uefi.BSCreateEvent, 0, 0, 0, 0, at) },
		"handles": func(m *machine, at uint64) uefi.Status {
			m.putWord(at, 0)
			return m.boots(uefi.BSInstallProtocolInterface, at, m.trap, 0, 1) // any 16 bytes are a protocol's name
		},
		"regions": func(m *machine, at uint64) uefi.Status {
			s := m.boots(uefi.BSAllocatePages, 0, uint64(uefi.LoaderData), 2, at)
			if s == uefi.Success {
				s = m.boots(uefi.BSFreePages, m.word(at)+pageSize, 1) // a hole of a page above one that stays
			}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, nil)
			var told int64
			m.OnGrowth(func(bytes int64) { told += bytes })
			at := m.room(1)
			first := m.size()
			for range 5000 { // beyond the bounds of all but the pool
				if s := ask(m, at); s == uefi.OutOfResources {
					break
				} else if s != uefi.Success {
					t.Fatal(s)
				}
			}
			if told != m.size() || told <= first || told > 16<<20 {
				t.Errorf("it tells of %d bytes; its books take %d, and took %d at first", told, m.size(), first)
			}
		})
	}
}
