package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/tacit-vm/tacit/inspect"
)

// inspectSchema names the form of what tacit inspect --json prints; docs/inspect.md describes it.
const inspectSchema = "tacit.inspect/1"

type inspectJSON struct {
	Schema  string       `json:"schema"`
	Kernels []kernelJSON `json:"kernels"`
	Files   []fileJSON   `json:"files"`
}

// kernelJSON is a kernel and how it meets what was required.
type kernelJSON struct {
	*inspect.Kernel
	Required map[string]inspect.Verdict `json:"required"`
}

type fileJSON struct {
	File    string   `json:"file"`
	Format  string   `json:"format"`
	Kernels int      `json:"kernels"`
	Notes   []string `json:"notes"`
	Error   *string  `json:"error"`
}

func printInspectJSON(w io.Writer, results []inspected, required []inspect.Requirement) error {
	out := inspectJSON{Schema: inspectSchema, Kernels: []kernelJSON{}, Files: []fileJSON{}}
	for _, r := range results {
		f := fileJSON{File: r.file, Notes: []string{}}
		if r.report != nil {
			f.Format, f.Kernels, f.Notes = r.report.Format, len(r.report.Kernels), r.report.Notes
			for _, k := range r.report.Kernels {
				met := map[string]inspect.Verdict{}
				for _, q := range required {
					met[q.Name] = k.Meets(q)
				}
				out.Kernels = append(out.Kernels, kernelJSON{k, met})
			}
		}
		if r.err != nil {
			text := r.err.Error()
			if errors.Is(r.err, context.Canceled) {
				text = "cancelled"
			}
			f.Error = &text
		}
		out.Files = append(out.Files, f)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
