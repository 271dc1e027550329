//go:build !(amd64 || arm64) || !(linux || darwin)

package x86

import "errors"

var errNoTranslator = errors.New("there is none for this kind of host: amd64 and arm64 with Linux or macOS have one")

// TranslatorAvailable says why this process cannot run a machine under [EngineTranslator]; nil means that it can.
func TranslatorAvailable() error { return errNoTranslator }

func newGenerator() generator { panic("BUG: " + errNoTranslator.Error()) }

func (*CPU) runCode(uintptr) uint64 { panic("BUG: " + errNoTranslator.Error()) }
