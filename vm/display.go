package vm

import (
	"fmt"
	"image"
	"image/color"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
)

// A Resolution is the size of a machine's screen, in pixels. The zero Resolution is no screen.
type Resolution struct{ Width, Height int }

// ParseResolution reads a resolution as String writes it.
func ParseResolution(text string) (Resolution, error) {
	w, h, ok := strings.Cut(text, "x")
	width, err := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	r := Resolution{width, height}
	if !ok || err != nil || err2 != nil || r == (Resolution{}) {
		return Resolution{}, fmt.Errorf("%q is no resolution: want width and height in pixels, such as 1024x768", text)
	}
	return r, r.check()
}

// String returns the resolution as 1024x768; it is empty where there is no screen.
func (r Resolution) String() string {
	if r == (Resolution{}) {
		return ""
	}
	return fmt.Sprintf("%dx%d", r.Width, r.Height)
}

// Bounds of a screen's sides, in pixels. The least is what programs take for one that they can use.
const (
	minSide = 200
	maxSide = 4096
)

func (r Resolution) check() error {
	if r != (Resolution{}) && (r.Width < minSide || r.Height < minSide || r.Width > maxSide || r.Height > maxSide) {
		return fmt.Errorf("a screen of %v pixels: want %d to %d each way", r, minSide, maxSide)
	}
	return nil
}

// frameBuffer is where the screen's pixels are in guest-physical memory: among the devices' addresses, between those of PCI's
// registers and of its configuration space.
const frameBuffer = 0xD000_0000

// screen is what firmware offers; nil where there is none.
func (c *Config) screen() *firmware.Screen {
	if c.Screen == (Resolution{}) {
		return nil
	}
	return &firmware.Screen{Width: c.Screen.Width, Height: c.Screen.Height, FrameBuffer: frameBuffer}
}

// videoMemory is the frame buffer, in whole pages; empty where there is none.
func (c *Config) videoMemory() accept.Range {
	s := c.screen()
	if s == nil {
		return accept.Range{}
	}
	return accept.Range{Start: frameBuffer, End: frameBuffer + s.Size()}.AlignOut(physical.Size4K.Bytes())
}

// Picture is what the machine's screen shows. There is none where it has no screen.
func (m *Machine) Picture() (image.Image, error) {
	s := m.cfg.screen()
	if s == nil {
		return nil, fmt.Errorf("the machine has no screen")
	}
	plane := physical.Shared
	if m.cfg.Platform == None {
		plane = physical.Private
	}
	b := make([]byte, s.Size())
	if err := m.memory.Read(plane, frameBuffer, b); err != nil {
		return nil, err
	}
	p := image.NewRGBA(image.Rect(0, 0, s.Width, s.Height))
	for i := 0; i < len(b); i += 4 { // blue, green, red, and a byte of no use
		p.SetRGBA(i/4%s.Width, i/4/s.Width, color.RGBA{R: b[i+2], G: b[i+1], B: b[i], A: 0xFF})
	}
	return p, nil
}

func (r *Resolution) carry(s *state.Stream) {
	t := [2]uint32{uint32(r.Width), uint32(r.Height)}
	if state.Array(s, t[:]); s.Reading() {
		*r = Resolution{int(t[0]), int(t[1])}
		s.Check(r.check() == nil, "a screen of a size that there is not")
	}
}
