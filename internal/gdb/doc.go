// Package gdb lets gdb debug a machine with amd64 processors over its Remote Serial Protocol (gdb manual, appendix E,
// whose names of packets these are).
//
// The program that runs the machine is in charge: it calls [Server.Serve] when the machine stops, which answers gdb until
// gdb lets it go on, and asks [Server.Pending] now and then while it runs. The package knows nothing of the machine but
// what [Target] says.
//
//	s, err := gdb.Listen("127.0.0.1:1234", false)
//	err = s.Wait(ctx)
//	how := s.Serve(ctx, target, gdb.Stop{})
//	…run the machine as how says, until it stops or s.Pending()…
//	how = s.Serve(ctx, target, gdb.Stop{Reason: gdb.Trap})
//	…
//	s.Exited(0)
//
//	target.go     what is debugged, how it stops and goes on
//	listen.go     who may connect, and when
//	packet.go     packets and acknowledgements
//	serve.go      what gdb asks, one function a packet
//	resume.go     going on and stopping
//	points.go     breakpoints and watchpoints
//	registers.go  the registers in gdb's order
//	describe.go   the registers as XML
package gdb
