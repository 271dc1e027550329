// Package attack is the catalogue of what a host can do to a confidential guest, and the hosts that do it: each holds an
// honest host of package host, answers some exits differently, and may act between two instructions of the guest.
//
// Nothing in the rules of TDX and SEV-SNP knows of attacks. A host here uses what those packages offer to any host: it adds
// and removes pages, injects events, answers exits, and writes to shared memory.
//
//	catalogue.go    every attack: where it was published, what the host does, what is promised, what a guest has to do
//	attack.go       one of them as it is asked for: which occasion, from which moment on, with which seed
//	host.go         what the cheating hosts of all platforms have in common; exits.go, where they answer
//	answers.go      lies about CPUID, MSRs, ports, devices, time
//	conversions.go  memory that is refused, withheld, or never done
//	inject.go       interrupts and exceptions that nothing has raised
//	frames.go       a page that leads elsewhere, or changes while its state stays
//	tables.go       code in the tables that the host makes
//	tells.go        what the guest tells its host without need
//	replies.go      what the host of an SEV-SNP guest leaves in the GHCB
//	fetch.go        … and changes between two reads
//	rings.go        what a device leaves in a ring
//	packets.go      and what a network brings
//	quotes.go       what the host of a TD leaves for a quote
//	processors.go   interrupts between processors, and how those begin
//
// Attacks on the memory itself (drop, swap, replay and so on) are package host's.
package attack
