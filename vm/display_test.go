package vm_test

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// What a program draws, by Blt and into the frame buffer, is on the picture, the same on each platform; and a saved machine's
// screen shows what it showed.
func TestScreen(t *testing.T) {
	t.Parallel()
	const invalid, unsupported = "8000000000000002", "8000000000000003"
	want := []string{
		"graphics 0", "query 0", "width 280", "height 1e0", "format 1", "line 280", "bytes 12c000", "no mode " + unsupported, "set 0",
		"fill 0", "to video 0", "down 0", "to buffer 0", "at its place 1", "outside " + invalid, "nothing " + invalid, "no operation " + invalid,
	}
	draws := programIn(t, "screen.c", "draws")
	sums := map[string]string{}
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		var console bytes.Buffer
		m := newMachine(t, vm.Config{Platform: platform, Memory: 256 * mib, Image: draws, Screen: vm.Resolution{Width: 640, Height: 480}, Console: &console})
		defer m.Close()
		run(t, m, vm.Event{})
		var said []string
		for _, line := range strings.Split(strings.TrimSpace(strings.ReplaceAll(console.String(), "\r", "")), "\n") {
			if sum, ok := strings.CutPrefix(line, "sum "); ok {
				sums[platform] = sum
			} else {
				said = append(said, line)
			}
		}
		if !slices.Equal(said, want) {
			t.Errorf("%s: it said %q, want %q", platform, said, want)
		}
		p, err := m.Picture()
		if err != nil {
			t.Fatal(err)
		}
		blue, green := color.RGBA{B: 0xFF, A: 0xFF}, color.RGBA{G: 0xFF, A: 0xFF}
		for _, c := range []struct {
			x, y int
			want color.RGBA
		}{
			{0, 0, blue}, {639, 479, blue}, {20, 10, green}, {99, 50, blue}, {108, 50, blue},
			{100, 50, color.RGBA{R: 0xFF, B: 8*16 + 8, A: 0xFF}}, // of the buffer's line 8, column 8
			{107, 53, color.RGBA{R: 0xFF, B: 11*16 + 15, A: 0xFF}},
			{100, 54, color.RGBA{R: 0xFF, B: 8*16 + 8, A: 0xFF}}, // the copy, four lines further down
			{107, 61, color.RGBA{R: 0xFF, B: 15*16 + 15, A: 0xFF}},
			{100, 62, blue},
		} {
			if got := p.At(c.x, c.y); got != c.want {
				t.Errorf("%s: pixel %d, %d is %v, want %v", platform, c.x, c.y, got, c.want)
			}
		}
	}
	if sums[vm.TDX] != sums[vm.None] || sums[vm.SNP] != sums[vm.None] {
		t.Errorf("they read back %v", sums)
	}
}

// A machine has a screen where it is asked for one, and a saved one shows what it showed.
func TestScreenIsSaved(t *testing.T) {
	t.Parallel()
	without := boot(t, vm.Config{Platform: vm.TDX, Memory: 256 * mib, Image: programIn(t, "screen.c", "asks")})
	if without.powersOff(t); !strings.HasPrefix(without.console, "graphics 800000000000000e") {
		t.Errorf("it said %q", without.console)
	}
	pixels := func(m *vm.Machine) []byte {
		p, err := m.Picture()
		if err != nil {
			t.Fatal(err)
		}
		return p.(*image.RGBA).Pix
	}
	m := newMachine(t, vm.Config{Platform: vm.SNP, Memory: 256 * mib, Image: programIn(t, "screen.c", "draws"), Screen: vm.Resolution{Width: 640, Height: 480}})
	defer m.Close()
	if !run(t, m, vm.AtInstruction(5000)) {
		t.Fatal("the program has ended before that")
	}
	var saved bytes.Buffer
	if err := m.Save(&saved); err != nil {
		t.Fatal(err)
	}
	other, err := vm.Load(&saved, vm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if at := pixels(m); !bytes.Equal(at, pixels(other)) {
		t.Error("the saved machine shows something else")
	}
	run(t, m, vm.Event{})
	run(t, other, vm.Event{})
	if !bytes.Equal(pixels(m), pixels(other)) {
		t.Error("the saved machine ends with another picture")
	}
}
