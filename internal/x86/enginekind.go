package x86

import "errors"

// An EngineKind says which engine executes a machine's code. What a guest sees, and what a record says, is the same
// under each.
type EngineKind uint8

const (
	EngineInterpreter EngineKind = iota // on every host; the reference
	EngineTranslator                    // machine code of the host's: see [TranslatorAvailable]
)

// TranslatorAvailable says why this process cannot run a machine under [EngineTranslator]; nil means that it can.
func TranslatorAvailable() error { return errors.New("the translator is not built yet") }
