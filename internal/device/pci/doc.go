// Package pci is a PCI bus with its host bridge: configuration space by ports 0xCF8 and 0xCFC and by memory (ECAM), one
// memory BAR a function, and interrupts as messages (MSI-X). There is one bus, of 32 devices of one function each, and no
// interrupt line: a function's interrupt pin reads 0.
//
// The bus is as firmware leaves it: BARs have addresses, and functions answer there. An operating system may move them.
//
// Facts: PCI Local Bus Specification 3.0 (chapter 6 configuration space, 6.8.2 MSI-X), PCI Firmware Specification 3.3 (4.1,
// MCFG), PCI Express Base Specification 5.0 (7.2.2, ECAM).
package pci
