package certify_test

import (
	"context"
	"fmt"
	"log"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// Prove by booting what an image does under firmware that asks, and under firmware that does not. The image is tacit's own guest here.
func ExampleRun() {
	img, err := image.Parse(guest.DemoName, guest.Demo())
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := certify.Run(context.Background(), certify.Config{
		Subjects:  []certify.Subject{{Image: img}},
		Platforms: []string{vm.TDX},
		Policies:  []string{"negotiate", "lazy"},
		Memory:    []uint64{1 << 30},
		Append:    "hold=512M", // more than firmware has accepted
	})
	if err != nil {
		log.Fatal(err)
	}
	verdict := certificate.Verdicts[0]
	fmt.Println("accepts memory:", verdict.Platforms[vm.TDX].Accepts)
	fmt.Println("tells firmware:", verdict.Negotiates)
	// Output:
	// accepts memory: yes
	// tells firmware: yes
}
