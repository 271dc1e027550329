package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/inspect"
)

// print writes what people read: a table with a row for each kernel, what else is to be said of one, and what to do.
func (f *inspectFlags) print(w io.Writer, results []inspected, required []inspect.Requirement) error {
	var kernels []*inspect.Kernel
	out := &errWriter{w: w}
	for _, r := range results {
		if r.err == nil {
			kernels = append(kernels, r.report.Kernels...)
		}
	}
	if len(kernels) == 0 {
		return nil
	}
	printTable(out, kernels)
	for _, k := range kernels {
		f.printDetails(out, k)
	}
	for _, r := range results {
		if r.err == nil {
			for _, note := range r.report.Notes {
				out.printf("\n%s: %s\n", r.file, note)
			}
		}
	}
	if f.tags.word != "" {
		for _, r := range results {
			if r.err == nil {
				out.printf("\nOn %s, for %s:\n", f.tags.word, r.file)
				for _, t := range inspect.Tags(f.tags.word, r.report.Kernels) {
					out.printf("  %s\n", strings.Join(t.Lines(), "\n  "))
				}
			}
		}
	}
	printUnmet(out, kernels, required)
	printIncomplete(out, results, required)
	printAdvice(out, kernels)
	return out.err
}

// errWriter remembers the first error of writing.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.w.Write(p)
	e.err = err
	return n, err
}

func (e *errWriter) printf(format string, args ...any) { fmt.Fprintf(e, format, args...) }

// printTable writes the answers.
func printTable(out io.Writer, kernels []*inspect.Kernel) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KERNEL\tRELEASE\tTDX GUEST\tACCEPTS\tSNP GUEST\tACCEPTS\tNEGOTIATES\tLAZY")
	for _, k := range kernels {
		release := k.Release
		if release == "" {
			release = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Name(), release, k.TDX.Guest.Verdict, k.TDX.Accepts.Verdict,
			k.SNP.Guest.Verdict, k.SNP.Accepts.Verdict, k.Negotiates.Verdict, k.Lazy.Verdict)
	}
	table.Flush() // errors stay in out
}

// printDetails writes what the table has no room for; nothing if there is nothing.
func (f *inspectFlags) printDetails(out *errWriter, k *inspect.Kernel) {
	var b strings.Builder
	for _, way := range waysOf(k.Boots) {
		fmt.Fprintf(&b, "  started by     %s\n                 %v\n", way.loader, way)
	}
	for _, c := range k.CommandLines {
		fmt.Fprintf(&b, "  command line   %s: %s\n", c.Where, c.Text)
	}
	for _, t := range k.Traps {
		word := "trap"
		if !t.Sure {
			word = "known defect"
		}
		fmt.Fprintf(&b, "  %-13s  %s (%s): %s\n", word, t.Name, t.Where, t.What)
	}
	for _, n := range k.Notes {
		fmt.Fprintf(&b, "  note           %s\n", n)
	}
	for _, q := range questionsOf(k) {
		if disputed := q.finding.Disputed(); len(disputed) > 0 && !f.evidence {
			for _, e := range disputed {
				fmt.Fprintf(&b, "  %-13s  is %s, though %s\n", q.name, q.finding.Verdict, e.What)
			}
		}
		if f.evidence {
			for i, e := range q.finding.Evidence {
				name := ""
				if i == 0 {
					name = q.name
				}
				fmt.Fprintf(&b, "  %-14s %-8s %-7s %s%s\n", name, e.Strength, e.Says, e.What, offsets(e.Offsets))
			}
		}
	}
	if b.Len() > 0 {
		out.printf("\n%s\n%s", k.Name(), b.String())
	}
}

// A way is how entries of configurations start a kernel: a menu may have tens that differ in the command line only.
type way struct {
	loader, stub string
	first        string // entry
	more         int    // entries
}

// waysOf are the different ways, in the order of the first entry of each.
func waysOf(boots []inspect.Boot) (all []way) {
	for _, b := range boots {
		w := way{loader: b.Loader, stub: fmt.Sprintf("EFI stub %s: %s", b.Stub, b.Why), first: b.Config}
		if w.loader == "" {
			w.loader = "no boot loader in the image"
		}
		same := func(o way) bool { return o.loader == w.loader && o.stub == w.stub }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i].more++
		} else {
			all = append(all, w)
		}
	}
	return all
}

func (w way) String() string {
	if w.more == 0 {
		return w.first + ": " + w.stub
	}
	return fmt.Sprintf("%s and %d more: %s", w.first, w.more, w.stub)
}

type asked struct {
	name    string
	finding inspect.Finding
}

func questionsOf(k *inspect.Kernel) []asked {
	return []asked{
		{"TDX guest", k.TDX.Guest}, {"TDX accepts", k.TDX.Accepts},
		{"SNP guest", k.SNP.Guest}, {"SNP accepts", k.SNP.Accepts},
		{"negotiates", k.Negotiates}, {"lazy", k.Lazy},
	}
}

// offsets says where in the kernel's file evidence is.
func offsets(at []int64) string {
	if len(at) == 0 {
		return ""
	}
	var all []string
	for _, a := range at {
		all = append(all, fmt.Sprintf("%#x", a))
	}
	return " [" + strings.Join(all, " ") + "]"
}

// printUnmet writes which kernels do not meet what is required.
func printUnmet(out *errWriter, kernels []*inspect.Kernel, required []inspect.Requirement) {
	separator := "\n"
	for _, k := range kernels {
		for _, q := range required {
			if v := k.Meets(q); v != inspect.Yes {
				out.printf("%s%s: required %s: %s\n", separator, k.Name(), q.Name, v)
				separator = ""
			}
		}
	}
}

// printIncomplete writes of which files not all that matters was read, where something is required.
func printIncomplete(out *errWriter, results []inspected, required []inspect.Requirement) {
	for _, r := range results {
		if len(required) > 0 && r.err == nil && r.report.Incomplete != "" {
			out.printf("\n%s: not all that may matter was read: %s\n", r.file, r.report.Incomplete)
		}
	}
}

// printAdvice ends with what to do: one sentence, or one for each group of kernels.
func printAdvice(out *errWriter, kernels []*inspect.Kernel) {
	var order []string
	names := map[string][]string{}
	for _, k := range kernels {
		if !slices.Contains(order, k.Advice) {
			order = append(order, k.Advice)
		}
		names[k.Advice] = append(names[k.Advice], k.Name())
	}
	if len(order) == 1 {
		if len(kernels) > 1 {
			out.printf("\nAll %d kernels: %s\n", len(kernels), order[0])
		} else {
			out.printf("\n%s\n", order[0])
		}
		return
	}
	for _, advice := range order {
		out.printf("\n%s:\n  %s\n", strings.Join(names[advice], ",\n"), advice)
	}
}
