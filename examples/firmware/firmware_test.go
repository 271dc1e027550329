package main

import (
	"fmt"
	"os"
)

// What the command prints is what its comments promise.
func Example() {
	if err := play(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// negotiate: firmware asks, the system can accept memory
	//   protocol offered true, called by 1; ExitBootServices called 1 times, 0 MiB accepted at it
	//           0x0    256 MiB  Conventional
	//    0x10000000    768 MiB  Unaccepted
	//   0x100000000   1024 MiB  Unaccepted
	//   the system has 256 MiB, accepts 1792 MiB when it needs them, and has lost 0 MiB
	//
	// negotiate: firmware asks, the system has never heard of it
	//   protocol offered true, called by 0; ExitBootServices called 2 times, 1792 MiB accepted at it
	//           0x0   1024 MiB  Conventional
	//   0x100000000   1024 MiB  Conventional
	//   the system has 2048 MiB, accepts 0 MiB when it needs them, and has lost 0 MiB
	//
	// lazy: firmware does not ask, the system can accept memory
	//   protocol offered false, called by 0; ExitBootServices called 1 times, 0 MiB accepted at it
	//           0x0    256 MiB  Conventional
	//    0x10000000    768 MiB  Unaccepted
	//   0x100000000   1024 MiB  Unaccepted
	//   the system has 256 MiB, accepts 1792 MiB when it needs them, and has lost 0 MiB
	//
	// lazy: firmware does not ask, the system has never heard of it
	//   protocol offered false, called by 0; ExitBootServices called 1 times, 0 MiB accepted at it
	//           0x0    256 MiB  Conventional
	//    0x10000000    768 MiB  Unaccepted
	//   0x100000000   1024 MiB  Unaccepted
	//   the system has 256 MiB, accepts 0 MiB when it needs them, and has lost 1792 MiB
	//
	// eager: firmware accepts everything before it starts anybody
	//   protocol offered false, called by 0; ExitBootServices called 1 times, 0 MiB accepted at it
	//           0x0   1024 MiB  Conventional
	//   0x100000000   1024 MiB  Conventional
	//   the system has 2048 MiB, accepts 0 MiB when it needs them, and has lost 0 MiB
}
