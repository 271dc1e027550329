package vm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/internal/x86"
)

// Names of engines, which execute the guest's instructions. What the guest sees, and what the record says but for its
// host's part, is the same under each.
const (
	Auto        = "auto"        // the translator where the host can, and the interpreter elsewhere
	Interpreter = "interpreter" // on every host; the reference
	Translator  = "translator"  // makes machine code of the host's: several times as fast, where the host can
	Lockstep    = "lockstep"    // both, held against each other after every block: slow, and an error at the first difference
)

// Engines are what Config.Engine can be; the first is what an empty one means.
var Engines = []string{Auto, Interpreter, Translator, Lockstep}

// checkEngine says why the host cannot run a machine under the engine that c asks for.
func (c *Config) checkEngine() error {
	name := cmp.Or(c.Engine, Engines[0])
	switch {
	case !slices.Contains(Engines, name):
		return fmt.Errorf("engine %q: there are %s", name, strings.Join(Engines, ", "))
	case c.TranslateAfter < 0:
		return fmt.Errorf("blocks that are translated when they have been entered %d times", c.TranslateAfter)
	case name == Lockstep && c.Debugger != nil:
		return fmt.Errorf("engine %s: gdb could change one of the two machines", name)
	case name == Lockstep && c.HostAttack != "":
		return fmt.Errorf("engine %s: a host that attacks would act on one of the two machines alone", name)
	case name == Auto || name == Interpreter || c.rival != nil:
		return nil
	}
	if err := x86.TranslatorAvailable(); err != nil {
		return fmt.Errorf("engine %s: %w; --engine %s works everywhere", name, err, Interpreter)
	}
	return nil
}

// EngineHere returns the engine that a name of Engines, or an empty one, means on this host: it is name but for Auto.
func EngineHere(name string) string {
	switch {
	case cmp.Or(name, Auto) != Auto:
		return name
	case x86.TranslatorAvailable() == nil:
		return Translator
	}
	return Interpreter
}

// engine returns which engine the machine's own processors have. In lock-step that is the interpreter: the other one is
// another machine's.
func (c *Config) engine() x86.EngineKind {
	if EngineHere(c.Engine) == Translator {
		return x86.EngineTranslator
	}
	return x86.EngineInterpreter
}
