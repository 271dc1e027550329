//go:build (amd64 || arm64) && (linux || darwin)

package x86

import (
	"sync"

	"github.com/tacit-vm/tacit/internal/x86/codemem"
)

// enterCode runs code at an address until it returns, with the processor's state where code expects it, and returns the
// exit that it leaves with.
//
//go:noescape
func enterCode(c *CPU, code uintptr) (exit uint64)

// TranslatorAvailable says why this process cannot run a machine under [EngineTranslator]; nil means that it can.
func TranslatorAvailable() error { return translatorAvailable() }

// translatorAvailable tries what a translator needs of the host: whether memory can be executed is a matter of the
// process's rights.
var translatorAvailable = sync.OnceValue(func() error {
	m, err := codemem.New(codemem.Page, 0)
	if err != nil {
		return err
	}
	return m.Close()
})
