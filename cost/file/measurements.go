package file

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/measure"
	"github.com/tacit-vm/tacit/internal/strictyaml"
)

// MeasurementsSchema names the form of a file of measurements.
const MeasurementsSchema = "tacit.measurements/1"

// WriteMeasurements writes what was measured, for people to look at and for ReadMeasurements.
func WriteMeasurements(w io.Writer, s measure.Set) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# tacit cost fit makes a cost model of this. Times are nanoseconds: median and quartiles.\n")
	fmt.Fprintf(&b, "schema: %s\nplatform: %s\n", MeasurementsSchema, s.Platform)
	if s.HostPage == "" {
		fmt.Fprintf(&b, "# host_page: 2M    # or 4K: the pages that the host maps, which no guest can see\n")
	} else {
		fmt.Fprintf(&b, "host_page: %s\n", s.HostPage)
	}
	fmt.Fprintf(&b, "kernel: %s\nprocessor: %s\nmeasured:\n", strconv.QuoteToGraphic(s.Kernel), strconv.QuoteToGraphic(s.Processor))
	for _, k := range names(s.Platform) {
		if m, ok := s.Measured[k]; ok {
			fmt.Fprintf(&b, "  %s: {ns: %s, low: %s, high: %s, count: %d}\n", k, decimal(m.Median), decimal(m.Low), decimal(m.High), m.Count)
		}
	}
	if len(s.Notes) > 0 {
		fmt.Fprintf(&b, "notes:\n")
		for _, note := range s.Notes {
			fmt.Fprintf(&b, "  - %s\n", strconv.QuoteToGraphic(note))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// names are what can be measured on a platform, each once.
func names(platform string) (all []string) {
	seen := map[string]bool{}
	for _, k := range measure.KindsOf(platform) {
		if !seen[k.Name] {
			seen[k.Name] = true
			all = append(all, k.Name)
		}
	}
	return all
}

// ReadMeasurements reads a file of measurements, as strictly as Read reads a model.
func ReadMeasurements(r io.Reader) (s measure.Set, err error) {
	root, err := strictyaml.Document(r)
	if err != nil {
		return s, err
	}
	keys, err := strictyaml.Mapping(root, "a file of measurements", "schema", "platform", "host_page", "kernel", "processor", "measured", "notes")
	if err != nil {
		return s, err
	}
	if schema, err := strictyaml.Text(keys["schema"], root, "schema"); err != nil {
		return s, err
	} else if schema != MeasurementsSchema {
		return s, strictyaml.At(keys["schema"], "schema %q: want %s", strictyaml.Shortened(schema), MeasurementsSchema)
	}
	if s.Platform, err = strictyaml.Text(keys["platform"], root, "platform"); err != nil {
		return s, err
	}
	if _, err := cost.Of(s.Platform); err != nil {
		return s, strictyaml.At(keys["platform"], "%v", err)
	}
	for key, to := range map[string]*string{"host_page": &s.HostPage, "kernel": &s.Kernel, "processor": &s.Processor} {
		n := keys[key]
		if n == nil || n.Kind == yaml.ScalarNode && n.Value == "" {
			continue
		}
		if *to, err = strictyaml.Text(n, root, key); err != nil {
			return s, err
		}
		if len(*to) > 200 || strings.ContainsFunc(*to, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return s, strictyaml.At(n, "%s cannot be printed, or is longer than 200 bytes", key)
		}
	}
	if p := s.HostPage; p != "" && p != "2M" && p != "4K" {
		return s, strictyaml.At(keys["host_page"], "host_page %q: want 2M or 4K", strictyaml.Shortened(p))
	}
	if keys["measured"] == nil {
		return s, strictyaml.At(root, "measured is missing")
	}
	all, err := strictyaml.Mapping(keys["measured"], "measured", names(s.Platform)...)
	if err != nil {
		return s, err
	}
	s.Measured = map[string]measure.Sample{}
	for _, name := range names(s.Platform) {
		if n := all[name]; n != nil {
			if s.Measured[name], err = readSample(n, name); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func readSample(n *yaml.Node, name string) (m measure.Sample, err error) {
	keys, err := strictyaml.Mapping(n, name, "ns", "low", "high", "count")
	if err != nil {
		return m, err
	}
	for _, c := range []struct {
		key string
		to  *float64
	}{{"ns", &m.Median}, {"low", &m.Low}, {"high", &m.High}} {
		value, err := strictyaml.Text(keys[c.key], n, name+": "+c.key)
		if err != nil {
			return m, err
		}
		if *c.to, err = strconv.ParseFloat(value, 64); err != nil || math.IsNaN(*c.to) || *c.to < 0 || *c.to > 1e15 {
			return m, strictyaml.At(keys[c.key], "%s: %s is %q: want nanoseconds", name, c.key, strictyaml.Shortened(value))
		}
	}
	count, err := strictyaml.Text(keys["count"], n, name+": count")
	if err != nil {
		return m, err
	}
	if m.Count, err = strconv.Atoi(count); err != nil || m.Count < 0 {
		return m, strictyaml.At(keys["count"], "%s: count is %q: want a whole number", name, strictyaml.Shortened(count))
	}
	return m, nil
}
