// Package negotiate is both sides of the question whether an operating system can accept memory: who asks it, who
// answers, and what firmware and system then do about the memory that is left.
//
// Firmware does not know what it starts. Memory that it leaves unaccepted is lost to a system that does not know how to
// accept it, and accepting everything makes every system slow. So firmware publishes a protocol
// (OVMF_SEV_MEMORY_ACCEPTANCE_PROTOCOL in EDK2, OvmfPkg/Include/Protocol/SevMemoryAcceptance.h), and a system that can
// accept calls it before it leaves boot services (Linux: drivers/firmware/efi/libstub/x86-stub.c). If none has called
// by then, firmware accepts the rest during ExitBootServices. That changes the memory map, so the call fails, and the
// system looks at the map and calls once more, as it has to whenever the map has changed.
//
// # Firmware's side
//
// A [Negotiation] is what firmware remembers. It says whether there is a protocol to be installed, hears who asks for it
// and who calls, and at the first ExitBootServices has accepted what has to be: [Negotiation.AcceptRest].
//
// # The system's side
//
// A system sees firmware through [BootServices], which it implements in as many lines as there are services. Then
//
//   - [Announce] says that the system accepts memory itself;
//   - [Room] says how much memory the map wants, and [Leave] gets it and leaves boot services, with the one retry;
//   - [Map.Check] holds the map against what a map can be. A guest that is confidential does not believe its firmware: no
//     memory is used, and none accepted, by the word of a map that contradicts itself or what the system knows;
//   - [Map.Unaccepted] and [Map.Free] say what there is;
//   - [Map.Header] sizes a table for what is unaccepted and [Map.Fill] fills it in; where somebody has installed one
//     before, as a kernel does for the next one that it starts by kexec, [Map.TakeOver] checks it.
//
// The package imports accept and uefi only. The system's side allocates nothing, errors included, and needs no
// initialised variable, so that it works in a program on bare metal that has no heap yet. Memory is the caller's.
package negotiate
