package vm

import "github.com/tacit-vm/tacit/internal/x86"

func makePlain(m *Machine) (*platform, error) {
	video := m.cfg.videoMemory()
	return &platform{
		Platform: &x86.Plain{Memory: m.memory, Bus: bus{m}, RAM: func(gpa uint64) bool {
			for _, r := range m.ram {
				if gpa >= r.Start && gpa < r.End {
					return true
				}
			}
			return gpa >= video.Start && gpa < video.End
		}, ROM: m.rom()},
		unaccepted: func() uint64 { return 0 },
		state:      func(uint64) string { return "memory" },
	}, nil
}
