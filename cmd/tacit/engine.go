package main

import (
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/vm"
)

// engineFlag is --engine, as all commands have it that run guests.
func engineFlag(flags *pflag.FlagSet, engine *choice) {
	*engine = choice{vm.Engines[0], vm.Engines}
	flags.Var(engine, "engine", "what executes the guest: the interpreter; the translator, which makes machine code of the host's; or both, held against each other after every block")
}
