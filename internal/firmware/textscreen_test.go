package firmware

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// A textMachine is one with a screen, and what its console can do.
type textMachine struct {
	*machine
	out uint64
}

func newTextMachine(t testing.TB, width, height int) textMachine {
	m := newMachine(t, func(c *Config) { c.Screen = &Screen{width, height, 128 << 20} }) // in memory that nobody uses
	return textMachine{m, m.word(m.systemTable + uefi.SystemTableConOut)}
}

func (m textMachine) call(offset uint64, args ...uint64) {
	m.Helper()
	if s := m.must(m.word(m.out+offset), append([]uint64{m.out}, args...)...); s != uefi.Success {
		m.Errorf("%d(%#x): %v", offset, args, s)
	}
}

func (m textMachine) say(text string) {
	m.Helper()
	m.call(uefi.TextOutputOutputString, m.alloc(wide(text)))
}

func (m textMachine) pixels() []byte {
	return m.bytes(m.cfg.Screen.FrameBuffer, int(m.cfg.Screen.Size()))
}

// A character is in its cell, in the middle of the screen, in the colours of its attribute, and nothing else changes.
func TestTextOnScreen(t *testing.T) {
	const width, height, left, top = 800, 600, 80, 62
	m := newTextMachine(t, width, height)
	m.call(uefi.TextOutputSetAttribute, 0x1E) // yellow on blue
	m.call(uefi.TextOutputSetCursorPosition, 79, 24)
	m.call(uefi.TextOutputSetCursorPosition, 3, 2)
	m.say("Ä║")
	want := make([]byte, width*height*pixelSize)
	for i, c := range []uint16{'Ä', '║'} {
		g, inked := glyphOf(c), 0
		for y := range g {
			for x, a := range g[y] {
				p := want[((top+2*glyphHeight+y)*width+left+(3+i)*glyphWidth+x)*pixelSize:]
				p[0], p[1], p[2] = blend(0x98, 0, a), blend(0, 0xFF, a), blend(0, 0xFF, a)
				inked += int(a)
			}
		}
		if inked == 0 || inked == 255*glyphWidth*glyphHeight {
			t.Errorf("%c has no form", c)
		}
	}
	if !bytes.Equal(m.pixels(), want) {
		t.Error("the screen shows something else")
	}
	m.call(uefi.TextOutputClearScreen)
	for p := m.pixels(); len(p) > 0; p = p[pixelSize:] {
		if [3]byte(p) != [3]byte{0x98, 0, 0} {
			t.Fatal("the screen is not cleared")
		}
	}
}

// What has scrolled looks as if the rest had been all there was, whether it came at once or line by line; and a long text is shown
// piece by piece.
func TestTextScrolls(t *testing.T) {
	text := func(from, to int) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			fmt.Fprintf(&b, "line %d%s\r\n", i, strings.Repeat(" of the text", i%9)) // some are longer than a row
		}
		return b.String()
	}
	longer := func(from, to int) (extra int) {
		for i := from; i <= to; i++ {
			extra += len(fmt.Sprintf("line %d%s", i, strings.Repeat(" of the text", i%9))) / columns
		}
		return extra
	}
	const last = 200
	first := last
	for rowsOf := func() int { return last - first + 1 + longer(first, last) }; rowsOf() < rows-1; {
		first--
	}
	if last-first+1+longer(first, last) != rows-1 {
		t.Fatal("the text's last lines do not fill the screen exactly: choose another")
	}
	want := newTextMachine(t, 640, 475)
	want.say(text(first, last))

	atOnce := newTextMachine(t, 640, 475)
	before := atOnce.steps
	atOnce.say(text(1, last))
	if pieces := atOnce.steps - before; pieces < last/2 {
		t.Errorf("a text that scrolls %d times is shown in %d pieces", last, pieces)
	}
	byLine := newTextMachine(t, 640, 475)
	for i := 1; i <= last; i++ {
		byLine.say(text(i, i))
	}
	for name, m := range map[string]textMachine{"at once": atOnce, "line by line": byLine} {
		if !bytes.Equal(m.pixels(), want.pixels()) {
			t.Errorf("%s: the screen shows something else than the last lines alone", name)
		}
		if m.console.String() != text(1, last) {
			t.Errorf("%s: the serial line got something else", name)
		}
	}
}

// The cursor is two lines below its character, and leaves nothing behind.
func TestCursorOnScreen(t *testing.T) {
	m := newTextMachine(t, 640, 480)
	m.say("ab")
	before := m.pixels()
	changed := func() (n int) {
		for i, p := range m.pixels() {
			if p != before[i] {
				n++
			}
		}
		return n / 3
	}
	m.call(uefi.TextOutputEnableCursor, 1)
	for _, move := range []func(){
		func() {}, func() { m.call(uefi.TextOutputSetCursorPosition, 1, 0) }, func() { m.say("b") }, func() { m.say("\b") },
		func() { m.call(uefi.TextOutputSetAttribute, 0x0F) }, func() { m.call(uefi.TextOutputEnableCursor, 1) },
	} {
		if move(); changed() != 2*glyphWidth {
			t.Errorf("%d pixels are another colour", changed())
		}
	}
	m.call(uefi.TextOutputEnableCursor, 0)
	if changed() != 0 {
		t.Errorf("%d pixels are left behind", changed())
	}
}

// A screen that is too small for the text has none.
func TestNoTextOnSmallScreen(t *testing.T) {
	m := newTextMachine(t, 640, 474)
	before := m.pixels()
	m.call(uefi.TextOutputEnableCursor, 1)
	m.say("hello")
	m.call(uefi.TextOutputSetAttribute, 0x1F)
	m.call(uefi.TextOutputClearScreen)
	if !bytes.Equal(before, m.pixels()) {
		t.Error("something is on it")
	}
}
