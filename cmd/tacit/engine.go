package main

import (
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/vm"
)

// engineOf returns the engine of a processor that runs alone.
func engineOf(name string) x86.EngineKind {
	if vm.EngineHere(name) == vm.Translator {
		return x86.EngineTranslator
	}
	return x86.EngineInterpreter
}

// engineFlag is --engine, as all commands have it that run guests.
func engineFlag(flags *pflag.FlagSet, engine *choice) {
	*engine = choice{vm.Engines[0], vm.Engines}
	flags.Var(engine, "engine", "what executes the guest: the interpreter; the translator, which makes machine code of the host's; auto, the faster one that the host can run; or lockstep, both held against each other after every block")
}
