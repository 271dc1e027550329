package firmware

import (
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/uefi"
)

// A console is the terminal of EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL (UEFI 2.10, section 12.4), of 80 columns and 25
// rows. Text goes out as UTF-8; the cursor and colours as control sequences of ECMA-48, which is what firmware sends
// down a serial line. Where there is a screen it is shown there, too.
type console struct {
	mode        uint64 // guest-physical address of the SIMPLE_TEXT_OUTPUT_MODE
	attribute   uint32
	column, row uint32
	visible     bool
}

const (
	columns = 80
	rows    = 25

	defaultAttribute = 0x07 // light grey on black
	maxAttribute     = 0x7F
	maxString        = 64 << 10 // characters that one call prints
)

// showMode writes the console's state to where the guest reads it.
func (f *Firmware) showMode() error {
	b := make([]byte, uefi.TextOutputModeSize)
	put32(b[uefi.TextOutputModeMaxMode:], 1)
	put32(b[uefi.TextOutputModeAttribute:], f.console.attribute)
	put32(b[uefi.TextOutputModeCursorColumn:], f.console.column)
	put32(b[uefi.TextOutputModeCursorRow:], f.console.row)
	if f.console.visible {
		b[uefi.TextOutputModeCursorVisible] = 1
	}
	return f.put(f.console.mode, b)
}

func (f *Firmware) print(text string) error {
	if f.cfg.Console == nil {
		return nil
	}
	_, err := io.WriteString(f.cfg.Console, text)
	return err
}

// textReset(*This, ExtendedVerification)
func (f *Firmware) textReset(args) error {
	f.console.attribute = defaultAttribute
	return f.erase()
}

// outputString(*This, *String)
func (f *Firmware) outputString(a args) error {
	s, err := f.loadString(a[1], maxString)
	if err != nil {
		return err
	}
	u := &f.unfinished
	begins := u.done == 0
	if begins {
		if err := f.print(narrow(s)); err != nil {
			return err
		}
	}
	origin, ok := f.textOrigin()
	if !ok {
		f.console.advance(s)
		return f.showMode()
	}
	if begins {
		if err := f.turnCursor(); err != nil {
			return err
		}
	}
	n, err := f.drawText(origin, s[min(u.done, uint64(len(s))):])
	if err != nil {
		return err
	}
	if u.done += uint64(n); u.done < uint64(len(s)) {
		return errMore
	}
	if err := f.turnCursor(); err != nil {
		return err
	}
	return f.showMode()
}

// control says whether a character moves the cursor and shows nothing.
func control(c uint16) bool { return c == '\b' || c == '\r' || c == '\n' }

// advance moves the cursor as the text does. It says whether the last character has made the text scroll.
func (c *console) advance(s []uint16) (scrolls bool) {
	for _, r := range s {
		scrolls = false
		switch r {
		case '\b':
			c.column -= min(c.column, 1)
		case '\r':
			c.column = 0
		case '\n':
			scrolls = c.down()
		default:
			if c.column++; c.column == columns {
				c.column, scrolls = 0, c.down()
			}
		}
	}
	return scrolls
}

// down moves the cursor to the next row, if there is one.
func (c *console) down() (scrolls bool) {
	scrolls = c.row == rows-1
	c.row = min(c.row+1, rows-1)
	return scrolls
}

// testString(*This, *String). Every character has a form in UTF-8; only halves of one do not.
func (f *Firmware) testString(a args) error {
	s, err := f.loadString(a[1], maxString)
	if err != nil {
		return err
	}
	for _, r := range narrow(s) {
		if r == '\uFFFD' {
			return unsupported
		}
	}
	return nil
}

// queryMode(*This, ModeNumber, *Columns, *Rows)
func (f *Firmware) queryMode(a args) error {
	if a[1] != 0 {
		return unsupported
	}
	if err := f.store64(a[2], columns); err != nil {
		return err
	}
	return f.store64(a[3], rows)
}

// setMode(*This, ModeNumber)
func (f *Firmware) setMode(a args) error {
	if a[1] != 0 {
		return unsupported
	}
	return f.erase()
}

// setAttribute(*This, Attribute): the foreground in bits 3:0, the background in bits 6:4. Bit 0 is blue and bit 2 red,
// the other way round than in ECMA-48.
func (f *Firmware) setAttribute(a args) error {
	if a[1] > maxAttribute {
		return unsupported
	}
	v := uint32(a[1])
	if err := f.turnCursor(); err != nil { // it has the text's colour
		return err
	}
	f.console.attribute = v
	if err := f.turnCursor(); err != nil {
		return err
	}
	colour := func(v uint32) uint32 { return v&1<<2 | v&2 | v>>2&1 }
	bright := uint32(0)
	if v&8 != 0 {
		bright = 60
	}
	if err := f.print(fmt.Sprintf("\x1b[%d;%dm", 30+bright+colour(v), 40+colour(v>>4))); err != nil {
		return err
	}
	return f.showMode()
}

// clearScreen(*This)
func (f *Firmware) clearScreen(args) error { return f.erase() }

func (f *Firmware) erase() error {
	if f.unfinished.done == 0 {
		f.console.column, f.console.row = 0, 0
		if err := f.print("\x1b[2J\x1b[H"); err != nil {
			return err
		}
	}
	if _, ok := f.textOrigin(); ok {
		if err := f.blank(); err != nil {
			return err
		}
		if err := f.turnCursor(); err != nil {
			return err
		}
	}
	return f.showMode()
}

// setCursorPosition(*This, Column, Row)
func (f *Firmware) setCursorPosition(a args) error {
	if a[1] >= columns || a[2] >= rows {
		return unsupported
	}
	if err := f.turnCursor(); err != nil {
		return err
	}
	f.console.column, f.console.row = uint32(a[1]), uint32(a[2])
	if err := f.turnCursor(); err != nil {
		return err
	}
	if err := f.print(fmt.Sprintf("\x1b[%d;%dH", a[2]+1, a[1]+1)); err != nil {
		return err
	}
	return f.showMode()
}

// enableCursor(*This, Visible)
func (f *Firmware) enableCursor(a args) error {
	if err := f.turnCursor(); err != nil {
		return err
	}
	f.console.visible = byte(a[1]) != 0
	if err := f.turnCursor(); err != nil {
		return err
	}
	sequence := "\x1b[?25l"
	if f.console.visible {
		sequence = "\x1b[?25h"
	}
	if err := f.print(sequence); err != nil {
		return err
	}
	return f.showMode()
}
