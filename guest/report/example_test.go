package report_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/guest/report"
)

// What an init of one's own has to write to the second serial port, and what the machine reads of it.
func ExampleParse() {
	r := report.Parse([]byte("tacit 1\n" +
		"uname 6.12.9 #1 SMP\n" +
		"begin init\n" +
		"end init\n" +
		"meminfo MemTotal=990176 Unaccepted=516096\n" +
		"done\n"))
	init, _ := r.Snapshot("init")
	fmt.Println(r.Release, "has", init.Meminfo["Unaccepted"]>>20, "MiB that are not accepted; complete:", r.Done)
	// Output: 6.12.9 has 504 MiB that are not accepted; complete: true
}
