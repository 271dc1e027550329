// Package processors is how a guest starts its processors other than the first: by INIT and start-up interrupts where nothing
// is confidential, by the mailbox that ACPI names in a TD, by a VMSA in an SEV-SNP guest. A guest finds them in ACPI's MADT,
// and has each begin in 64-bit mode, with page tables, a stack and a number of the guest's own.
//
//	madt.go        which processors there are, and where the mailbox is
//	mailbox.go     a TD's: whom the mailbox wakes
//	vmsa.go        an SEV-SNP guest's: the registers that a processor begins with
//	trampoline.go  the code in between, where a processor begins in real mode, or with firmware's page tables
//
// Nothing here allocates Go memory or needs the Go runtime.
package processors
