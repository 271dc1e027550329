package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/inspect"
)

// printFirmware writes a table with a row for each firmware image, what else is to be said of one, and what it means.
func (f *inspectFlags) printFirmware(out *errWriter, results []inspected, required []inspect.Requirement) {
	var all []*inspect.Firmware
	kernels := 0
	for _, r := range results {
		if r.err == nil {
			all = append(all, r.report.Firmware...)
			kernels += len(r.report.Kernels)
		}
	}
	if len(all) == 0 {
		return
	}
	if kernels > 0 {
		out.printf("\n")
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIRMWARE\tTDX GUEST\tLEAVES\tNEGOTIATES\tSNP GUEST\tLEAVES\tNEGOTIATES")
	for _, image := range all {
		fmt.Fprintf(table, "%s", image.Name())
		for _, p := range []inspect.FirmwarePlatform{image.TDX, image.SNP} {
			fmt.Fprintf(table, "\t%s\t%s\t%s", p.Guest.Verdict, leaves(p), p.Negotiates.Verdict)
		}
		fmt.Fprintln(table)
	}
	table.Flush() // errors stay in out
	for _, image := range all {
		f.printFirmwareDetails(out, image)
	}
	for _, image := range all {
		for _, q := range required {
			if v := image.Meets(q); v != inspect.Yes {
				out.printf("\n%s: required %s: %s\n", image.Name(), q.Name, v)
			}
		}
	}
	for _, image := range all {
		name := ""
		if len(all) > 1 || kernels > 0 {
			name = image.Name() + ":\n  "
		}
		out.printf("\n%s%s\n", name, image.Advice)
	}
}

// leaves says whether memory is left unaccepted, and from which address on.
func leaves(p inspect.FirmwarePlatform) string {
	if p.Leaves.Verdict == inspect.Yes && p.From != 0 {
		return fmt.Sprintf("from %d GiB", p.From>>30)
	}
	return string(p.Leaves.Verdict)
}

func (f *inspectFlags) printFirmwareDetails(out *errWriter, image *inspect.Firmware) {
	var b strings.Builder
	for _, m := range image.Metadata {
		fmt.Fprintf(&b, "  has            %s\n", m)
	}
	for _, n := range image.Notes {
		fmt.Fprintf(&b, "  note           %s\n", n)
	}
	if f.evidence {
		for _, q := range []asked{
			{"TDX guest", image.TDX.Guest}, {"TDX leaves", image.TDX.Leaves}, {"TDX negotiates", image.TDX.Negotiates},
			{"SNP guest", image.SNP.Guest}, {"SNP leaves", image.SNP.Leaves}, {"SNP negotiates", image.SNP.Negotiates},
		} {
			printEvidence(&b, q)
		}
	}
	if b.Len() > 0 {
		out.printf("\n%s\n%s", image.Name(), b.String())
	}
}
