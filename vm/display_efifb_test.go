package vm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// Linux has the screen that firmware hands over for its console (efifb): the pixels that it reads back are those of the picture,
// and the picture is of the text that it says it shows. On a confidential platform it maps them as shared, which nothing but a right
// mapping gets past: the frame buffer's private plane is no memory.
func TestLinuxOnScreen(t *testing.T) {
	t.Parallel()
	const width, height = 800, 600
	script := "#!/bin/busybox sh\n" +
		"busybox mkdir -p /proc /sys /dev\n" +
		"busybox mount -t proc proc /proc; busybox mount -t sysfs sysfs /sys; busybox mount -t devtmpfs dev /dev\n" +
		"echo 0 >/proc/sys/kernel/printk; echo 0 >/sys/class/graphics/fbcon/cursor_blink\n" +
		"printf '\\033[?25lthe quick brown fox\\n' >/dev/tty1\n" +
		"echo fb $(busybox cat /proc/fb)\n" +
		"echo text $(busybox base64 /dev/vcs1 | busybox tr -d '\\n')\n" +
		"echo sum $(busybox head -c " + fmt.Sprint(width*height*4) + " /dev/fb0 | busybox sha256sum)\n" +
		"echo seen\n" +
		"busybox poweroff -f\n"
	initrd := busyboxInitrd(t, fromDeb(t, "busybox-static_*_i386.deb", "./bin/busybox"), script)
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			line := "console=tty0 console=ttyS0 ia32_emulation=on"
			var console bytes.Buffer
			m := newMachine(t, vm.Config{
				Platform: platform, Memory: gib, Image: debian13(t), Initrd: initrd, CommandLine: &line, Console: &console,
				Screen: vm.Resolution{Width: width, Height: height},
			})
			defer m.Close()
			if err := m.ExpectString(t.Context(), "seen\r\n"); err != nil {
				t.Fatalf("the guest did not come so far: %v; its console ends with\n%s", err, console.String()[max(0, console.Len()-2000):])
			}
			said := func(word string) string {
				found := regexp.MustCompile(`(?m)^` + word + ` (.*?)\r?$`).FindStringSubmatch(console.String())
				if found == nil {
					t.Fatalf("the console lacks %q:\n%s", word, console.String())
				}
				return found[1]
			}
			if fb := said("fb"); fb != "0 EFI VGA" {
				t.Errorf("it has the frame buffer %q", fb)
			}
			picture, err := m.Picture()
			if err != nil {
				t.Fatal(err)
			}
			shown := picture.(*image.RGBA)
			pixels := make([]byte, 0, len(shown.Pix))
			for p := shown.Pix; len(p) > 0; p = p[4:] {
				pixels = append(pixels, p[2], p[1], p[0], 0)
			}
			if got, want := fmt.Sprintf("%x", sha256.Sum256(pixels)), strings.Fields(said("sum"))[0]; got != want {
				t.Errorf("the picture's pixels have the SHA-256 %s, and those that Linux reads %s", got, want)
			}
			text, err := base64.StdEncoding.DecodeString(said("text"))
			if err != nil {
				t.Fatal(err)
			}
			isPictureOf(t, shown, 16, text)
			if !strings.Contains(string(text), "the quick brown fox") || !strings.Contains(string(text), "Run /init as init process") {
				t.Errorf("the screen's text is\n%s", text)
			}
		})
	}
}

// isPictureOf asserts that a text console of characters of 8 by height pixels looks as the text says: the same character the same
// everywhere, and each unlike all others.
func isPictureOf[Char comparable](t *testing.T, shown *image.RGBA, height int, text []Char) {
	t.Helper()
	const width = 8
	columns := shown.Rect.Dx() / width
	if rows := shown.Rect.Dy() / height; len(text) != columns*rows {
		t.Fatalf("%d characters on a screen of %d by %d", len(text), columns, rows)
	}
	looks, means := map[Char]string{}, map[string]Char{}
	for i, c := range text {
		var cell []byte
		for y := range height {
			at := shown.PixOffset(shown.Rect.Min.X+i%columns*width, shown.Rect.Min.Y+i/columns*height+y)
			cell = append(cell, shown.Pix[at:at+4*width]...)
		}
		if look, ok := looks[c]; ok && look != string(cell) {
			t.Fatalf("%v in column %d, row %d looks unlike another", c, i%columns, i/columns)
		}
		if other, ok := means[string(cell)]; ok && other != c {
			t.Fatalf("%v in column %d, row %d looks like %v", c, i%columns, i/columns, other)
		}
		looks[c], means[string(cell)] = string(cell), c
	}
	if len(looks) < 20 {
		t.Errorf("there are %d different characters on the screen", len(looks))
	}
}
