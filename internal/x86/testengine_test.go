package x86

import "os"

var testEngine = map[string]EngineKind{"translator": EngineTranslator}[os.Getenv("TESTENGINE")]
