package inspect_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/tacit-vm/tacit/inspect"
)

// Whether a kernel in a package can accept memory, and says so before it leaves boot services.
func ExampleFile() {
	packages, err := filepath.Glob("../kernels/linux-image-6.1.*-cloud-amd64_*.deb")
	if err != nil || len(packages) == 0 {
		log.Fatal("scripts/fetch-kernels gets a kernel")
	}
	report, err := inspect.File(context.Background(), packages[0], inspect.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range report.Kernels {
		fmt.Println("SEV-SNP guest:", k.SNP.Guest.Verdict)
		fmt.Println("accepts memory there:", k.SNP.Accepts.Verdict)
		fmt.Println("tells firmware:", k.Negotiates.Verdict)
	}
	// Output:
	// SEV-SNP guest: yes
	// accepts memory there: no
	// tells firmware: no
}

// What a scheduler demands of an image.
func ExampleParseRequirements() {
	required, err := inspect.ParseRequirements("snp,negotiate")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(required), "requirements")
	_, err = inspect.ParseRequirements("sev")
	fmt.Println("sev is one:", err == nil)
	// Output:
	// 2 requirements
	// sev is one: false
}
