package x86

import "fmt"

// An EngineKind names an engine, as a [Config] does. What a guest sees, and what a record says, is the same under each.
type EngineKind uint8

const (
	EngineInterpreter EngineKind = iota // on every host; the reference
	EngineTranslator                    // machine code of the host's: see [TranslatorAvailable]
)

// DefaultHotAfter is how often a block is interpreted before it is translated, where nothing else is said. It matters
// little: half of the blocks run once or twice, and those that run a thousand times are nearly all that is executed.
const DefaultHotAfter = 50

// chooseEngine gives a processor the engine that its configuration names.
func (c *CPU) chooseEngine(cfg *Config) {
	c.engine = interpreter{}
	if cfg.Engine != EngineTranslator {
		return
	}
	err := TranslatorAvailable()
	if err == nil && c.code.translated == nil {
		c.code.translated, err = newTranslated(c.code.most)
	}
	if err != nil {
		c.engine = noEngine{fmt.Errorf("the translator: %w", err)}
		return
	}
	c.code.most = max(c.code.most-c.code.translated.memory.Size(), c.code.most/2)
	c.code.translated.hotAfter(cfg.TranslateAfter)
	c.engine = translator{c.code.translated}
}

// noEngine is what a processor has whose engine there is not: a run ends at once and says why.
type noEngine struct{ err error }

func (e noEngine) run(c *CPU) stop {
	c.Stop(e.err)
	return c.stopped()
}
