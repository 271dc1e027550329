// Package vm is one machine put together: memory, processor, platform, host, firmware and devices from a [Config], run
// to its end, and a [record.Record] of what happened.
//
//	r, err := vm.Run(ctx, vm.Config{Platform: vm.TDX, Memory: 4 << 30, Image: img, Initrd: initrd})
//
// That is a [Machine] from [New] to its end. In between it can be stopped at an [Event], or where its console shows
// something ([Machine.ExpectString]), saved to a file, resumed ([Load]) and forked: what comes after is the same, to the
// byte.
//
// However the guest ends, there is a record that says so, and no error: an error is for what kept the machine from
// running.
//
//	config.go    what a machine is made of
//	machine.go   making it
//	boot.go      the way in: firmware, and what it is asked
//	platform.go  the platforms, as far as the rest of the machine can tell them apart
//	run.go       the loop: the processor runs, firmware serves, devices are on time
//	schedule*.go whose turn it is, where there are many processors
//	event.go     where a run stops; appointment.go, at an exact instruction; expect.go, when the console shows something
//	registers.go what a machine that stands still holds, and changing it
//	save.go      a machine in a file; saved*.go, the state of this package's own parts; fork.go, another one that shares memory
//	ends.go      how a run ends that does not end by itself; hostmemory*.go, one of the reasons
//	report.go    the guest's own books, held against the machine's
//	outcome.go   how it ended, and why
//	debug*.go    the machine as gdb sees it
//	trace.go     a line about each instruction
//	input.go     what is typed on the console, and typed again
package vm
