package vm_test

import (
	"bytes"
	"image"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/vm"
)

// What the EDK2 Shell says is on the screen as on the serial line, on each platform.
func TestShellOnScreen(t *testing.T) {
	t.Parallel()
	d := espDisk(t, 40, imagetest.Files{
		fallbackLoader: debianFile(t, "efi-shell-x64_2025.*", "usr/share/efi-shell-x64/shellx64.efi"), "notes.txt": []byte("hello"),
	})
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			keys := make(chan []byte, 1)
			keys <- []byte(" cls 1\rhelp -b\rqls fs0:\r")
			close(keys)
			var console bytes.Buffer
			m := newMachine(t, vm.Config{
				Platform: platform, Disks: disks(d), Screen: vm.Resolution{Width: 800, Height: 600}, Keyboard: keys, Console: &console, MaxVirtual: 5 * time.Second,
			})
			defer m.Close()
			run(t, m, vm.Event{})
			picture, err := m.Picture()
			if err != nil {
				t.Fatal(err)
			}
			var s serialTerminal
			s.write(console.String())
			if text := s.text(); !strings.Contains(text, "notes.txt") {
				t.Errorf("the terminal shows\n%s", text)
			}
			text := picture.(*image.RGBA).SubImage(image.Rect(80, 62, 720, 537)).(*image.RGBA)
			isPictureOf(t, text, 19, s.shown())
		})
	}
}

// A terminalCell is a character and how it is drawn.
type terminalCell struct {
	char   rune
	colour string // as ECMA-48's SGR has it
}

// A serialTerminal shows what comes from a serial line, on 80 columns and 25 rows: as much as firmware makes use of.
type serialTerminal struct {
	cells       [25 * 80]terminalCell
	row, column int
	colour      string
	cursor      bool
}

// cell is a character as it is drawn now. A space shows the background alone.
func (s *serialTerminal) cell(r rune) terminalCell {
	if _, background, ok := strings.Cut(s.colour, ";"); ok && r == ' ' {
		return terminalCell{r, background}
	}
	return terminalCell{r, s.colour}
}

func (s *serialTerminal) clear(from int) {
	for i := from; i < len(s.cells); i++ {
		s.cells[i] = s.cell(' ')
	}
}

// shown are the cells with the cursor, which looks unlike any character.
func (s *serialTerminal) shown() []terminalCell {
	cells := slices.Clone(s.cells[:])
	if s.cursor {
		cells[s.row*80+s.column].colour += " cursor"
	}
	return cells
}

func (s *serialTerminal) write(text string) {
	s.clear(0)
	down := func() {
		if s.row++; s.row == 25 {
			s.row--
			copy(s.cells[:], s.cells[80:])
			s.clear(24 * 80)
		}
	}
	for len(text) > 0 {
		if at := controlSequence.FindStringIndex(text); at != nil && at[0] == 0 {
			s.control(text[2:at[1]])
			text = text[at[1]:]
			continue
		}
		r := []rune(text[:min(len(text), 4)])[0]
		text = text[len(string(r)):]
		switch r {
		case '\b':
			s.column = max(s.column-1, 0)
		case '\r':
			s.column = 0
		case '\n':
			down()
		default:
			s.cells[s.row*80+s.column] = s.cell(r)
			if s.column++; s.column == 80 {
				s.column = 0
				down()
			}
		}
	}
}

// control does what a control sequence is for, without its first two characters.
func (s *serialTerminal) control(sequence string) {
	numbers, last := sequence[:len(sequence)-1], sequence[len(sequence)-1]
	switch last {
	case 'h', 'l':
		s.cursor = last == 'h'
	case 'm':
		s.colour = numbers
	case 'J':
		s.clear(0)
	case 'H':
		row, column, _ := strings.Cut(numbers, ";")
		number := func(text string) int { n, _ := strconv.Atoi(text); return max(n, 1) - 1 }
		s.row, s.column = number(row), number(column)
	}
}

func (s *serialTerminal) text() string {
	var b strings.Builder
	for i, c := range s.cells {
		if i%80 == 0 {
			b.WriteByte('\n')
		}
		b.WriteRune(c.char)
	}
	return b.String()
}
