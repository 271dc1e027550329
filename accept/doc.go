// Package accept keeps track of a confidential virtual machine's unaccepted memory.
//
// A guest of Intel TDX or AMD SEV-SNP must accept memory before it touches it, exactly once. Firmware accepts a
// part and hands over the rest as EFI_UNACCEPTED_MEMORY (UEFI 2.10, section 7.2). The system then remembers, in
// one bit for every 2 MiB, what it has yet to accept, and accepts when it needs the memory. This package is that
// memory of what is left: as Linux lays it out and by Linux's rules, for whoever shares it or looks into it.
//
// Those who build the bitmap take the ranges that firmware left unaccepted, and
//
//   - size a table for them all: [HeaderFor];
//   - see what of each range must be accepted at once, since whole units cannot stand for it: [Split];
//   - record the rest: [Bitmap.Mark].
//
// Those who need memory call [Bitmap.Accept], which finds what is unaccepted there, has it accepted, and clears
// its bits; [Guard] adds what a system must accept that may read past the end of its buffers. Those who look in
// from outside parse the table ([ParseHeader], [Header.Bitmap]) and ask: [Bitmap.Count], [Bitmap.Runs].
//
// The package imports nothing, does not use unsafe, and allocates nothing but errors and strings, so that it runs
// in firmware and on bare metal. The bits can lie in any bytes, also in the memory of a guest.
//
// # Speed
//
// All the memory that 52 bits address, 4 PiB, has a bitmap of 256 MiB. To look through it takes about as long as to
// read it: Any, All and Count reach 0.94 to 1.0 of the speed at which the standard library's vector code reads the
// same bytes (12.3 of 12.7 GB/s, 22 ms), and 0.78 of the rate at which memory delivers cache lines that nobody looks
// at (15.7 GB/s). To mark 4 PiB takes 33 ms, to clear it 11 ms; to accept 4 MiB takes 56 ns besides what the platform
// takes. This is one of the two cores of a virtual machine with other work to do (Intel Xeon, Go 1.26), three runs.
// For another machine, speeds and ratios side by side:
//
//	go test ./accept -run '^$' -bench .
package accept
