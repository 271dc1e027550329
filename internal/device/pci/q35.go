package pci

import "github.com/tacit-vm/tacit/internal/device"

// What firmware in the guest finds on a bus: the chipset of QEMU's q35, by which EDK2's OvmfPkg knows the machine that it is in
// (OvmfPkg/Include/OvmfPlatforms.h). It has registers that tell where the rest of the chipset is to be. They keep what is
// written, which is what EDK2 writes, and move nothing: configuration space is at [ECAMBase], the ports of the power management
// where package device has them.
var (
	q35Bridge = Identity{Vendor: 0x8086, Device: 0x29C0, Class: 0x060000} // 82G33 host bridge
	q35LPC    = Identity{Vendor: 0x8086, Device: 0x2918, Class: 0x060100} // ICH9's bridge to the devices of a PC
)

// SlotLPC is the slot of that bridge.
const SlotLPC = Slots - 1

// A register of the chipset that keeps what is written.
type keeps struct {
	offset   int
	writable uint32
	value    uint32 // at reset
}

// Registers that EDK2 writes and reads back (Intel 3 Series Express Chipset Family data sheet, 5.1; ICH9 data sheet, 13.1).
var (
	q35BridgeKeeps = []keeps{
		{0x60, 0xF000_0007, 0}, {0x64, 0x0000_000F, 0}, // PCIEXBAR
		{0x90, 0x3333_3330, 0}, {0x94, 0x0033_3333, 0}, // PAM0 to PAM6
	}
	q35LPCKeeps = []keeps{
		{0x40, 0x0000_FF80, 1}, {0x44, 0x0000_0087, 0}, // PMBASE, ACPI_CNTL
		{0x60, 0x8F8F_8F8F, 0x8080_8080}, {0x68, 0x8F8F_8F8F, 0x8080_8080}, // PIRQx_ROUT
		{0xF0, 0xFFFF_C001, 0}, // RCBA
	}
)

// NewQ35 returns a bus with the bridges of a q35 and nothing else, and maps it. It is as after a reset: firmware in the guest
// is to place the BARs of what is added.
func NewQ35(board *device.Board) (*Bus, error) {
	b := &Bus{window: Q35WindowBase, bare: true}
	if err := b.begin(board, newKeeper(q35Bridge, q35BridgeKeeps), Q35WindowSize); err != nil {
		return nil, err
	}
	return b, b.Add(SlotLPC, newKeeper(q35LPC, q35LPCKeeps))
}

func newKeeper(id Identity, all []keeps) *Function {
	f := NewFunction(id, nil, 0, nil)
	for _, k := range all {
		for i := range 4 {
			f.config[k.offset+i], f.writable[k.offset+i] = byte(k.value>>(8*i)), byte(k.writable>>(8*i))
		}
	}
	f.writable[regCommand] = commandPorts | commandMemory | commandMaster
	return f
}
