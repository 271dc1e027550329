package image_test

import (
	"fmt"
	"log"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
)

// What a file is, its bytes say. Here they are those of tacit's own guest, an EFI application.
func ExampleParse() {
	img, err := image.Parse(guest.DemoName, guest.Demo())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.Name, "is an EFI application:", img.Kind == image.EFIApplication)
	fmt.Println("something keeps it from being booted:", img.Bootable() != nil)
	// Output:
	// demo.efi is an EFI application: true
	// something keeps it from being booted: false
}

// The first root file system of a kernel, with one program.
func ExampleInitramfs() {
	archive, err := image.Initramfs(
		image.File{Name: "init", Mode: 0o755, Data: guest.Init()},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a newc archive begins with %s\n", archive[:6])
	// Output: a newc archive begins with 070701
}
