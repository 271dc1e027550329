package inside

import (
	"fmt"
	"io"
	"strings"
)

// WriteMetrics writes the status in Prometheus's text format, version 0.0.4, which node_exporter's textfile collector
// reads, too. A metric that the kernel says nothing of is left out, rather than 0.
func (s *Status) WriteMetrics(w io.Writer) error {
	var b strings.Builder
	gauge := func(name, help string) {
		fmt.Fprintf(&b, "# HELP tacit_%s %s\n# TYPE tacit_%s gauge\n", name, help, name)
	}
	gauge("guest_info", "What the guest runs on (tdx, snp, or nothing that is known) and its kernel; always 1.")
	fmt.Fprintf(&b, "tacit_guest_info{platform=\"%s\",kernel=\"%s\"} 1\n", label(s.Platform), label(s.Kernel))
	gauge("memory_total_bytes", "Memory that the kernel manages.")
	fmt.Fprintf(&b, "tacit_memory_total_bytes %d\n", s.Books.Total)
	gauge("memory_available_bytes", "Memory that programs could have without swapping, unaccepted memory among it.")
	fmt.Fprintf(&b, "tacit_memory_available_bytes %d\n", s.Books.Available)
	gauge("memory_unaccepted_supported", "1 if the kernel keeps books on unaccepted memory.")
	if !s.Support {
		b.WriteString("tacit_memory_unaccepted_supported 0\n")
	} else {
		b.WriteString("tacit_memory_unaccepted_supported 1\n")
		gauge("memory_unaccepted_bytes", "Memory that has not been accepted yet.")
		fmt.Fprintf(&b, "tacit_memory_unaccepted_bytes %d\n", s.Books.Unaccepted)
		if len(s.Zones) > 0 {
			gauge("zone_unaccepted_bytes", "Memory of a zone that has not been accepted yet.")
		}
		for _, z := range s.Zones {
			fmt.Fprintf(&b, "tacit_zone_unaccepted_bytes{node=\"%d\",zone=\"%s\"} %d\n", z.Node, label(z.Name), z.Unaccepted)
		}
	}
	if s.Blocks.Size != 0 {
		gauge("memory_block_size_bytes", "Unit in which memory is added and removed.")
		fmt.Fprintf(&b, "tacit_memory_block_size_bytes %d\n", s.Blocks.Size)
		gauge("memory_blocks", "Such units, by state.")
		fmt.Fprintf(&b, "tacit_memory_blocks{state=\"online\"} %d\ntacit_memory_blocks{state=\"offline\"} %d\n", s.Blocks.Online, s.Blocks.Offline)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// label escapes a label's value.
func label(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(text, "�"))
}
