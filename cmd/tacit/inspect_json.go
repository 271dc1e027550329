package main

import (
	"context"
	"errors"
	"io"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/schema"
)

// inspectSchema names the form of what tacit inspect --json prints; docs/inspect.md describes it.
const inspectSchema = "tacit.inspect/1"

type inspectJSON struct {
	Schema   string         `json:"schema"`
	Tool     string         `json:"tool"` // as tacit version says it
	Kernels  []kernelJSON   `json:"kernels"`
	Firmware []firmwareJSON `json:"firmware"`
	Files    []fileJSON     `json:"files"`
}

// kernelJSON is a kernel and how it meets what was required.
type kernelJSON struct {
	*inspect.Kernel
	Required map[string]inspect.Verdict `json:"required"`
}

// firmwareJSON is a firmware image and how it meets what was required.
type firmwareJSON struct {
	*inspect.Firmware
	Required map[string]inspect.Verdict `json:"required"`
}

type fileJSON struct {
	File    string            `json:"file"`
	SHA256  string            `json:"sha256"`
	Format  string            `json:"format"`
	Kernels int               `json:"kernels"`
	Tags    []inspect.Tagging `json:"tags"`
	Notes   []string          `json:"notes"`

	Incomplete string  `json:"incomplete"`
	Error      *string `json:"error"`
}

func printInspectJSON(w io.Writer, results []inspected, required []inspect.Requirement) error {
	out := inspectJSON{
		Schema: inspectSchema, Tool: versionText(),
		Kernels: []kernelJSON{}, Firmware: []firmwareJSON{}, Files: []fileJSON{},
	}
	for _, r := range results {
		f := fileJSON{File: r.file, SHA256: r.sha256, Tags: []inspect.Tagging{}, Notes: []string{}}
		if r.report != nil {
			f.Format, f.Kernels, f.Notes = r.report.Format, len(r.report.Kernels), r.report.Notes
			f.Incomplete = r.report.Incomplete
			for _, k := range r.report.Kernels {
				met := map[string]inspect.Verdict{}
				for _, q := range required {
					met[q.Name] = k.Meets(q)
				}
				out.Kernels = append(out.Kernels, kernelJSON{k, met})
			}
			if len(r.report.Kernels) > 0 {
				for _, cloud := range inspect.Clouds {
					f.Tags = append(f.Tags, inspect.Tags(cloud, r.report.Kernels)...)
				}
			}
			for _, firmware := range r.report.Firmware {
				met := map[string]inspect.Verdict{}
				for _, q := range required {
					met[q.Name] = firmware.Meets(q)
				}
				out.Firmware = append(out.Firmware, firmwareJSON{firmware, met})
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
	return schema.Write(w, out)
}
