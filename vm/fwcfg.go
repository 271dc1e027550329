package vm

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/device"
)

// program is what fw_cfg tells the guest about itself, as QEMU does of what is on its command line.
func (m *Machine) program() *device.Program {
	const ram = 1 // a type of ranges, as the BIOS call E820 has them
	var e820 []byte
	for _, r := range m.ram {
		e820 = binary.LittleEndian.AppendUint64(e820, r.Start)
		e820 = binary.LittleEndian.AppendUint64(e820, r.Len())
		e820 = binary.LittleEndian.AppendUint32(e820, ram)
	}
	return &device.Program{
		CPUs: m.cfg.CPUs, Memory: m.cfg.Memory, CommandLine: m.cfg.kernelArguments(), Kernel: m.cfg.Image.Data, Initrd: m.cfg.Initrd,
		Files: []device.File{{Name: "etc/e820", Data: e820}},
	}
}
