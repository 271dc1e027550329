package vm

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/device"
)

// e820File is fw_cfg's file of where RAM is.
const e820File = "etc/e820"

// program is what fw_cfg tells the guest about itself, as QEMU does of what is on its command line.
func (m *Machine) program() *device.Program {
	return &device.Program{
		CPUs: m.cfg.CPUs, Memory: m.cfg.Memory, CommandLine: m.cfg.kernelArguments(), Kernel: m.cfg.Image.Data, Initrd: m.cfg.Initrd,
		Files: []device.File{{Name: e820File, Data: m.e820()}},
	}
}

// e820 is where RAM is, as the BIOS call of that name has it.
func (m *Machine) e820() []byte {
	const ram = 1 // a type of ranges
	var e820 []byte
	for _, r := range m.ram {
		e820 = binary.LittleEndian.AppendUint64(e820, r.Start)
		e820 = binary.LittleEndian.AppendUint64(e820, r.Len())
		e820 = binary.LittleEndian.AppendUint32(e820, ram)
	}
	return e820
}
