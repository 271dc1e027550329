package firmware

import (
	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_GRAPHICS_OUTPUT_PROTOCOL (UEFI 2.10, section 12.9), where the machine has a screen: one mode, whose pixels
// lie in a frame buffer in the order in which Blt has them.

// A Screen is what pixels are shown on.
type Screen struct {
	Width, Height int    // pixels
	FrameBuffer   uint64 // guest-physical, among the devices' addresses; pixels of four bytes, line after line
}

// maxSide bounds a screen's width and height, in pixels.
const maxSide = 4096

// pixelSize is bytes of blue, green, red, and one of no use.
const pixelSize = 4

// Size is that of the frame buffer, in bytes.
func (s *Screen) Size() uint64 { return uint64(s.Width) * uint64(s.Height) * pixelSize }

var graphicsOutput = where((*Firmware).hasScreen,
	member("GraphicsOutput.QueryMode", uefi.GraphicsOutputQueryMode, 4, (*Firmware).graphicsQueryMode),
	member("GraphicsOutput.SetMode", uefi.GraphicsOutputSetMode, 2, (*Firmware).graphicsSetMode),
	member("GraphicsOutput.Blt", uefi.GraphicsOutputBlt, 10, (*Firmware).blt),
)

func (f *Firmware) hasScreen() bool { return f.cfg.Screen != nil }

// publishScreen offers the protocol where there is a screen: on the console's handle, where EDK2's console splitter has it, too.
func (f *Firmware) publishScreen(console uint64) error {
	if !f.hasScreen() {
		return nil
	}
	s := f.cfg.Screen
	gop, err := f.publish(console, uefi.GraphicsOutputProtocolGUID, uefi.GraphicsOutputSize, graphicsOutput)
	if err != nil {
		return err
	}
	info, err := f.putPool(uefi.BootServicesData, s.info())
	if err != nil {
		return err
	}
	mode := make([]byte, uefi.GraphicsModeSize)
	put32(mode[uefi.GraphicsModeMaxMode:], 1)
	put64(mode[uefi.GraphicsModeInfo:], info)
	put64(mode[uefi.GraphicsModeSizeOfInfo:], uefi.GraphicsInfoSize)
	put64(mode[uefi.GraphicsModeFrameBufferBase:], s.FrameBuffer)
	put64(mode[uefi.GraphicsModeFrameBufferSize:], s.Size())
	modeAt, err := f.putPool(uefi.BootServicesData, mode)
	if err != nil {
		return err
	}
	return f.put64(gop.address+uefi.GraphicsOutputMode, modeAt)
}

// info is what QueryMode says of the mode.
func (s *Screen) info() []byte {
	b := make([]byte, uefi.GraphicsInfoSize)
	put32(b[uefi.GraphicsInfoHorizontalResolution:], uint32(s.Width))
	put32(b[uefi.GraphicsInfoVerticalResolution:], uint32(s.Height))
	put32(b[uefi.GraphicsInfoPixelFormat:], uefi.PixelBGRReserved8Bit)
	put32(b[uefi.GraphicsInfoPixelsPerScanLine:], uint32(s.Width))
	return b
}

// graphicsQueryMode(*This, ModeNumber, *SizeOfInfo, **Info)
func (f *Firmware) graphicsQueryMode(a args) error {
	if uint32(a[1]) != 0 || a[2] == 0 || a[3] == 0 {
		return invalidParameter
	}
	at, err := f.putPool(uefi.BootServicesData, f.cfg.Screen.info())
	if err != nil {
		return err
	}
	if err := f.store64(a[2], uefi.GraphicsInfoSize); err != nil {
		return err
	}
	return f.store64(a[3], at)
}

// graphicsSetMode(*This, ModeNumber): a mode that is set begins black.
func (f *Firmware) graphicsSetMode(a args) error {
	if uint32(a[1]) != 0 {
		return unsupported
	}
	u, size := &f.unfinished, f.cfg.Screen.Size()
	b := make([]byte, min(size-min(u.done, size), step))
	if err := f.toScreen(u.done, b); err != nil {
		return err
	}
	if u.done += uint64(len(b)); u.done < size {
		return errMore
	}
	return nil
}

// blt(*This, *BltBuffer, BltOperation, SourceX, SourceY, DestinationX, DestinationY, Width, Height, Delta) does a line at a
// time, and as many at once as are a step.
func (f *Firmware) blt(a args) error {
	buffer, operation := a[1], uint32(a[2])
	from, to, size := place{a[3], a[4]}, place{a[5], a[6]}, place{a[7], a[8]}
	stride := a[9]
	if stride == 0 {
		stride = size.x * pixelSize
	}
	s := f.cfg.Screen
	switch {
	case operation > uefi.BltVideoToVideo, size.x == 0, size.y == 0, stride > maxStride,
		operation != uefi.BltVideoToVideo && buffer == 0,
		operation != uefi.BltBufferToVideo && operation != uefi.BltVideoFill && !s.holds(from, size),
		operation != uefi.BltVideoToBltBuffer && !s.holds(to, size):
		return invalidParameter
	}
	line := make([]byte, size.x*pixelSize)
	if operation == uefi.BltVideoFill {
		if err := f.read(buffer, line[:pixelSize]); err != nil {
			return err
		}
		for n := pixelSize; n < len(line); n *= 2 {
			copy(line[n:], line[:n])
		}
	}
	u := &f.unfinished
	for lines := max(step/uint64(len(line)), 1); lines > 0 && u.done < size.y; lines-- {
		y := u.done
		if operation == uefi.BltVideoToVideo && to.y > from.y { // they may overlap
			y = size.y - 1 - y
		}
		if err := f.bltLine(operation, line, place{from.x, from.y + y}, place{to.x, to.y + y}, buffer, stride); err != nil {
			return err
		}
		u.done++
	}
	if u.done < size.y {
		return errMore
	}
	return nil
}

// bltLine moves one line. Where a rectangle lies in the buffer its coordinates count from the buffer's beginning.
func (f *Firmware) bltLine(operation uint32, line []byte, from, to place, buffer, stride uint64) error {
	s := f.cfg.Screen
	inBuffer := func(p place) uint64 { return buffer + p.y*stride + p.x*pixelSize }
	switch operation {
	case uefi.BltVideoToBltBuffer:
		if err := f.fromScreen(s.at(from), line); err != nil {
			return err
		}
		return f.write(inBuffer(to), line)
	case uefi.BltBufferToVideo:
		if err := f.read(inBuffer(from), line); err != nil {
			return err
		}
	case uefi.BltVideoToVideo:
		if err := f.fromScreen(s.at(from), line); err != nil {
			return err
		}
	}
	return f.toScreen(s.at(to), line)
}

// maxStride bounds a line of the buffer, in bytes: no product of it overflows.
const maxStride = 1 << 24

// A place is a position, or a size, in pixels.
type place struct{ x, y uint64 }

// holds says whether a rectangle lies on the screen.
func (s *Screen) holds(at, size place) bool {
	w, h := uint64(s.Width), uint64(s.Height)
	return at.x <= w && at.y <= h && size.x <= w-at.x && size.y <= h-at.y
}

// at is where a pixel is in the frame buffer, in bytes.
func (s *Screen) at(p place) uint64 { return (p.y*uint64(s.Width) + p.x) * pixelSize }

func (f *Firmware) toScreen(offset uint64, b []byte) error {
	f.touch(len(b))
	return f.cpu.WritePhysical(f.cfg.Screen.FrameBuffer+offset|f.cfg.SharedBit, b)
}

func (f *Firmware) fromScreen(offset uint64, b []byte) error {
	f.touch(len(b))
	return f.cpu.ReadPhysical(f.cfg.Screen.FrameBuffer+offset|f.cfg.SharedBit, b)
}
