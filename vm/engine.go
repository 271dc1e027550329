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
	Interpreter = "interpreter" // on every host; the reference
	Translator  = "translator"  // makes machine code of the host's: several times as fast, where the host can
	Lockstep    = "lockstep"    // both, held against each other after every block: slow, and an error at the first difference
)

// Engines are what Config.Engine can be; the first is what an empty one means.
var Engines = []string{Interpreter, Translator, Lockstep}

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
	case name == Interpreter || c.rival != nil:
		return nil
	}
	if err := x86.TranslatorAvailable(); err != nil {
		return fmt.Errorf("engine %s: %w; --engine %s works everywhere", name, err, Interpreter)
	}
	return nil
}

// engine returns which engine the machine's own processors have. In lock-step that is the interpreter: the other one is
// another machine's.
func (c *Config) engine() x86.EngineKind {
	if c.Engine == Translator {
		return x86.EngineTranslator
	}
	return x86.EngineInterpreter
}
