package main

import (
	"fmt"
	"strconv"

	"github.com/tacit-vm/tacit/internal/device"
)

// A port is an I/O port as a flag: a number, in decimal or with 0x. 0 is none; the flag alone is QEMU's own port.
type port uint16

// portAlone is what the flag means without a value.
var portAlone = fmt.Sprintf("%#x", device.DebugExitPort)

// Set implements pflag.Value.
func (p *port) Set(text string) error {
	n, err := strconv.ParseUint(text, 0, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is not a port: give a number from 1 to 0xffff, as in --debug-exit=0xf4", text)
	}
	*p = port(n)
	return nil
}

// String implements pflag.Value.
func (p *port) String() string {
	if *p == 0 {
		return ""
	}
	return fmt.Sprintf("%#x", uint16(*p))
}

// Type implements pflag.Value.
func (p *port) Type() string { return "PORT" }
