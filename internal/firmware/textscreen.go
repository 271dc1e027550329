package firmware

import (
	"encoding/binary"
)

// This file shows the console's text on the screen, too, in the middle of it. What is drawn there is nowhere but in the frame
// buffer: a program's pictures scroll with the text, as on hardware.

// textOrigin is where the text's upper left corner is; ok is false where there is no screen or it is too small for the text.
func (f *Firmware) textOrigin() (at place, ok bool) {
	s := f.cfg.Screen
	const width, height = columns * glyphWidth, rows * glyphHeight
	if s == nil || s.Width < width || s.Height < height {
		return place{}, false
	}
	return place{uint64(s.Width-width) / 2, uint64(s.Height-height) / 2}, true
}

// cell is where a character is on the screen.
func (c *console) cell(origin place) place {
	return place{origin.x + uint64(c.column)*glyphWidth, origin.y + uint64(c.row)*glyphHeight}
}

// palette has the colours of attributes, as pixels: those of upstream firmware (EDK2, GraphicsConsoleDxe). Bit 0 is blue, bit 1
// green and bit 2 red; bit 3 is for bright ones.
func palette(attribute uint32) (blue, green, red uint8) {
	low, high := uint8(0), uint8(0x98)
	switch {
	case attribute&0xF == 8:
		return 0x30, 0x30, 0x30
	case attribute&8 != 0:
		high = 0xFF
	}
	of := func(bit uint32) uint8 {
		if attribute&bit != 0 {
			return high
		}
		return low
	}
	return of(1), of(2), of(4)
}

// blend is the colour between two of which the second has a share of a/255.
func blend(from, to, a uint8) uint8 {
	return uint8((uint32(from)*(255-uint32(a)) + uint32(to)*uint32(a)) / 255)
}

// drawText shows as much of a text as is a step, and returns how many characters that is.
func (f *Firmware) drawText(origin place, s []uint16) (done int, err error) {
	for before := f.work.bytes; done < len(s) && f.work.bytes-before < step; {
		n := 1
		if !control(s[done]) {
			for n < len(s)-done && n < int(columns-f.console.column) && !control(s[done+n]) {
				n++
			}
			if err := f.drawRun(f.console.cell(origin), s[done:done+n]); err != nil {
				return done, err
			}
		}
		if f.console.advance(s[done : done+n]) {
			if err := f.scroll(origin); err != nil {
				return done, err
			}
		}
		done += n
	}
	return done, nil
}

// drawRun draws characters that stand side by side.
func (f *Firmware) drawRun(at place, s []uint16) error {
	foreground, background := f.console.attribute&0xF, f.console.attribute>>4&7
	fb, fg, fr := palette(foreground)
	bb, bg, br := palette(background)
	line := make([]byte, len(s)*glyphWidth*pixelSize)
	glyphs := make([]*glyph, len(s))
	for i, c := range s {
		glyphs[i] = glyphOf(c)
	}
	for y := range glyphHeight {
		for i, g := range glyphs {
			for x, a := range g[y] {
				p := line[(i*glyphWidth+x)*pixelSize:]
				p[0], p[1], p[2] = blend(bb, fb, a), blend(bg, fg, a), blend(br, fr, a)
			}
		}
		if err := f.toScreen(f.cfg.Screen.at(place{at.x, at.y + uint64(y)}), line); err != nil {
			return err
		}
	}
	return nil
}

// scroll moves the text up by a line.
func (f *Firmware) scroll(origin place) error {
	const height = rows * glyphHeight
	line := make([]byte, columns*glyphWidth*pixelSize)
	for y := uint64(0); y < height; y++ {
		if y < height-glyphHeight {
			if err := f.fromScreen(f.cfg.Screen.at(place{origin.x, origin.y + y + glyphHeight}), line); err != nil {
				return err
			}
		} else {
			f.background(line)
		}
		if err := f.toScreen(f.cfg.Screen.at(place{origin.x, origin.y + y}), line); err != nil {
			return err
		}
	}
	return nil
}

// background fills pixels with the background's colour.
func (f *Firmware) background(b []byte) {
	blue, green, red := palette(f.console.attribute >> 4 & 7)
	for ; len(b) > 0; b = b[pixelSize:] {
		b[0], b[1], b[2], b[3] = blue, green, red, 0
	}
}

// blank clears as much of the screen as is a step: all of it, as upstream firmware does, not the text alone.
func (f *Firmware) blank() error {
	u, size := &f.unfinished, f.cfg.Screen.Size()
	b := make([]byte, min(size-min(u.done, size), step))
	f.background(b)
	if err := f.toScreen(u.done, b); err != nil {
		return err
	}
	if u.done += uint64(len(b)); u.done < size {
		return errMore
	}
	return nil
}

// turnCursor shows the cursor, where it is to be seen, or takes it away: two lines below the character, of which each pixel's colour
// is turned.
func (f *Firmware) turnCursor() error {
	origin, ok := f.textOrigin()
	if !ok || !f.console.visible {
		return nil
	}
	const first, after = 16, 18
	blue, green, red := palette(f.console.attribute & 0xF)
	at, line := f.console.cell(origin), make([]byte, glyphWidth*pixelSize)
	for y := uint64(first); y < after; y++ {
		offset := f.cfg.Screen.at(place{at.x, at.y + y})
		if err := f.fromScreen(offset, line); err != nil {
			return err
		}
		for p := line; len(p) > 0; p = p[pixelSize:] {
			binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)^(uint32(blue)|uint32(green)<<8|uint32(red)<<16))
		}
		if err := f.toScreen(offset, line); err != nil {
			return err
		}
	}
	return nil
}
