package firmware

import (
	"golang.org/x/image/font/inconsolata"
)

// This file is what characters look like on the screen: letters as the font Inconsolata has them, and the lines, blocks, shapes and
// arrows that the specification asks for (UEFI 2.10, section 12.4, "EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.OutputString()", related
// definitions), which that font lacks.

// The size of a character, in pixels: that of the specification's narrow glyphs (UEFI 2.10, section 33.3.3).
const (
	glyphWidth  = 8
	glyphHeight = 19
)

// A glyph is how much of each pixel the character's colour has: 0 is none, 255 all.
type glyph [glyphHeight][glyphWidth]uint8

// glyphOf is what a character looks like. One that there is none for is a box.
func glyphOf(c uint16) *glyph {
	if g, ok := shapes[c]; ok {
		return drawn(g)
	}
	if c >= firstLine && c < firstLine+uint16(len(lines)) && lines[c-firstLine] != (arms{}) {
		return lines[c-firstLine].glyph()
	}
	face := inconsolata.Regular8x16
	height := face.Ascent + face.Descent
	for _, r := range face.Ranges {
		if rune(c) < r.Low || rune(c) >= r.High {
			continue
		}
		g, first := new(glyph), (int(rune(c)-r.Low)+r.Offset)*height
		for y := range height {
			for x := range glyphWidth {
				_, _, _, alpha := face.Mask.At(x, first+y).RGBA()
				g[(glyphHeight-height)/2+y][x] = uint8(alpha >> 8)
			}
		}
		return g
	}
	return drawn(missing)
}

// drawn makes a glyph of its picture, which stands in the middle.
func drawn(picture []string) *glyph {
	g := new(glyph)
	for y, line := range picture {
		for x := range line {
			if line[x] == '#' {
				g[(glyphHeight-len(picture))/2+y][x] = 255
			}
		}
	}
	return g
}

var missing = []string{"######", "#    #", "#    #", "#    #", "#    #", "#    #", "#    #", "#    #", "#    #", "######"}

// repeated is a picture of a whole character of which each of some rows follows the one before.
func repeated(rows ...string) (picture []string) {
	for y := range glyphHeight {
		picture = append(picture, rows[y%len(rows)])
	}
	return picture
}

var shapes = map[uint16][]string{
	0x2190: {"  #", " ##", "#######", " ##", "  #"},
	0x2191: {"   #", "  ###", " #####", "   #", "   #", "   #", "   #", "   #", "   #"},
	0x2192: {"    #", "    ##", "#######", "    ##", "    #"},
	0x2193: {"   #", "   #", "   #", "   #", "   #", "   #", " #####", "  ###", "   #"},
	0x2588: repeated("########"),
	0x2591: repeated("#   #   ", "  #   # "),
	0x2592: repeated("# # # # ", " # # # #"),
	0x2593: repeated("### ### ", "# ### ##"),
	0x25B2: {"   #", "   #", "  ###", "  ###", " #####", " #####", "#######"},
	0x25BA: {"##", "####", "######", "########", "######", "####", "##"},
	0x25BC: {"#######", " #####", " #####", "  ###", "  ###", "   #", "   #"},
	0x25C4: {"      ##", "    ####", "  ######", "########", "  ######", "    ####", "      ##"},
}

// arms are the lines that go from the middle of a character to its sides: none, one or two each.
type arms struct{ left, right, up, down int }

const firstLine = 0x2500

// lines are the characters from firstLine on that the specification names.
var lines = [...]arms{
	0x00: {1, 1, 0, 0}, 0x02: {0, 0, 1, 1}, 0x0C: {0, 1, 0, 1}, 0x10: {1, 0, 0, 1}, 0x14: {0, 1, 1, 0}, 0x18: {1, 0, 1, 0},
	0x1C: {0, 1, 1, 1}, 0x24: {1, 0, 1, 1}, 0x2C: {1, 1, 0, 1}, 0x34: {1, 1, 1, 0}, 0x3C: {1, 1, 1, 1},
	0x50: {2, 2, 0, 0}, 0x51: {0, 0, 2, 2},
	0x52: {0, 2, 0, 1}, 0x53: {0, 1, 0, 2}, 0x54: {0, 2, 0, 2}, 0x55: {2, 0, 0, 1}, 0x56: {1, 0, 0, 2}, 0x57: {2, 0, 0, 2},
	0x58: {0, 2, 1, 0}, 0x59: {0, 1, 2, 0}, 0x5A: {0, 2, 2, 0}, 0x5B: {2, 0, 1, 0}, 0x5C: {1, 0, 2, 0}, 0x5D: {2, 0, 2, 0},
	0x5E: {0, 2, 1, 1}, 0x5F: {0, 1, 2, 2}, 0x60: {0, 2, 2, 2}, 0x61: {2, 0, 1, 1}, 0x62: {1, 0, 2, 2}, 0x63: {2, 0, 2, 2},
	0x64: {2, 2, 0, 1}, 0x65: {1, 1, 0, 2}, 0x66: {2, 2, 0, 2}, 0x67: {2, 2, 1, 0}, 0x68: {1, 1, 2, 0}, 0x69: {2, 2, 2, 0},
	0x6A: {2, 2, 1, 1}, 0x6B: {1, 1, 2, 2}, 0x6C: {2, 2, 2, 2},
}

// glyph draws the lines: each of an arm's to that of a crossing arm at which it ends.
func (a arms) glyph() *glyph {
	const middleX, middleY = 3, 9
	g := new(glyph)
	for _, line := range offsets(a.left) {
		for x := 0; x <= middleX-ends(line, a.right, a.up, a.down); x++ {
			g[middleY+line][x] = 255
		}
	}
	for _, line := range offsets(a.right) {
		for x := middleX + ends(line, a.left, a.up, a.down); x < glyphWidth; x++ {
			g[middleY+line][x] = 255
		}
	}
	for _, line := range offsets(a.up) {
		for y := 0; y <= middleY-ends(line, a.down, a.left, a.right); y++ {
			g[y][middleX+line] = 255
		}
	}
	for _, line := range offsets(a.down) {
		for y := middleY + ends(line, a.up, a.left, a.right); y < glyphHeight; y++ {
			g[y][middleX+line] = 255
		}
	}
	return g
}

// offsets are where an arm's lines are, seen from its middle.
func offsets(lines int) []int { return [][]int{nil, {0}, {-1, 1}}[lines] }

// ends is how far from the middle a line begins: at the nearer line of an arm to its side, at the farther one where that makes a
// corner, and in the middle where the line goes on. opposite, before and after are the lines of the other arms: the one that it
// goes on as, and those at the sides of lower and of higher offsets.
func ends(line, opposite, before, after int) int {
	crosses := max(before, after) == 2
	switch {
	case !crosses:
		return 0
	case line < 0 && before > 0, line > 0 && after > 0, line == 0 && before > 0 && after > 0:
		return 1
	case opposite > 0:
		return 0
	}
	return -1
}
