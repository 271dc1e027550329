// Package firmware is the UEFI that a guest meets, served from Go: the memory map and who accepts what, boot and
// runtime services, protocols, a PE loader, and the ACPI tables (package acpi).
//
// No code of firmware's own runs in the guest. The services' entry points are addresses in a trap page: when the
// processor gets to one, its run ends with the guest-physical address, and [Firmware.Call] does what the service does
// and returns to the caller. The page is memory of type EfiRuntimeServicesCode, so that an operating system leaves it
// alone and maps it wherever it likes: entry points are recognised by their guest-physical address.
//
//	boot.go        from nothing to the first instruction of the image
//	layout.go      what memory there is, and how much of it firmware accepts
//	memmap.go      the memory map, which is also the book of what has been accepted
//	lie.go         what it says instead where it is told to lie
//	services.go    the table of entry points
//	call.go        the calling convention: arguments in, status out
//	frame.go       calls in the other direction: StartImage, notifications
//	jobs.go        what other processors than the first do for a program
//	<subject>.go   the services of a subject
//
// Services run to completion: whatever a service starts in the guest (an image, a notification function) is
// remembered as a frame in firmware's state, never on the Go stack, so that a machine can be stopped and saved
// anywhere.
//
// Everything that a guest passes is hostile. A pointer that leads nowhere, a size that cannot be and a list that does
// not end give an EFI error in bounded time; what a guest can make the host hold is bounded by constants. Only three
// things end the run: an access that the platform refuses, such as firmware writing through a guest's pointer to memory
// that has not been accepted; a call without a stack to return by; and what is the end by its nature (ResetSystem, the
// last image's return).
package firmware
