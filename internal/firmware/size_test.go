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
		"openings": func(m *machine, at uint64) uefi.Status {
			m.putWord(at, m.word(at)+1) // for a controller, which GET_PROTOCOL takes to be anything
			im := m.images[0].handle
			return m.boots(uefi.BSOpenProtocol, im, m.guid(uefi.LoadedImageProtocolGUID), at+8, im, m.word(at), uefi.OpenProtocolGetProtocol)
		},
		"registrations": func(m *machine, at uint64) uefi.Status {
			if len(m.registrations) == 0 {
				m.wants(uefi.Success, uefi.BSCreateEvent, 0, 0, 0, 0, at+16)
			}
			return m.boots(uefi.BSRegisterProtocolNotify, m.trap, m.word(at+16), at)
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
			at := m.room(3)
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
