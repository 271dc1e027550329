// Package scenario boots what users have met, and says whether it happens here as well.
//
// A scenario is named after the thread in which it was met. It says what is expected and by whose word, boots the machines
// that show it, most often with a control that differs in one thing, and judges what was seen. What it needs of Debian's
// unchanged packages is named, and looked for in a directory. What cannot be had says why.
//
//	scenario.go    what a scenario is, and all of them
//	packages.go    the packages that they need
//	esp.go         a disk with an EFI system partition, for loaders
//	program.go     an EFI program that leaves boot services, once or as often as it takes
//	loaders.go     what loaders do to the memory
//	firmware.go    what firmware does
//	exit.go        leaving boot services
//	kernels.go     what kernels do by their parameters
//	sizes.go       what depends on how much memory there is
//	kexec.go       one kernel after another
//	run.go         running them
//	table.go       how it is shown to people and programs
package scenario
