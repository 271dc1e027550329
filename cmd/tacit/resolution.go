package main

import "github.com/tacit-vm/tacit/vm"

// A resolution is the size of a screen, as a flag.
type resolution struct{ vm.Resolution }

// Set implements pflag.Value.
func (r *resolution) Set(text string) (err error) {
	r.Resolution, err = vm.ParseResolution(text)
	return err
}

// Type implements pflag.Value.
func (*resolution) Type() string { return "WIDTHxHEIGHT" }
