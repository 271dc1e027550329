package record_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// A machine of another make can keep the same books. Firmware accepts 2 MiB, then the kernel starts and accepts 4 MiB.
func ExampleLog() {
	log := record.NewLog(nil)
	log.Accept(record.Accepted{By: record.Firmware, GPA: 0, Bytes: 2 << 20, Size: physical.Size2M, NS: 200_000})
	log.Mark(record.Marked{Phase: record.KernelEntry, Unaccepted: 6 << 20})
	log.Accept(record.Accepted{By: record.Running, GPA: 4 << 20, Bytes: 4 << 20, Size: physical.Size2M, NS: 400_000})

	by := log.Record().Acceptance.By
	fmt.Println("firmware:", record.FormatBytes(by.Firmware.Bytes))
	fmt.Println("kernel:", record.FormatBytes(by.Kernel.Bytes), "in", by.Kernel.Operations, "operations,", record.FormatNS(by.Kernel.VirtualNS))
	// Output:
	// firmware: 2 MiB
	// kernel: 4 MiB in 2 operations, 400.000 µs
}
