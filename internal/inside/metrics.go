package inside

import (
	"io"
	"strconv"

	"github.com/tacit-vm/tacit/internal/metrics"
)

// WriteMetrics writes the status in Prometheus's text format, which node_exporter's textfile collector reads, too. A metric
// that the kernel says nothing of is left out, rather than 0.
func (s *Status) WriteMetrics(w io.Writer) error {
	var p metrics.Page
	p.Gauge("guest_info", "What the guest runs on (tdx, snp, or nothing that is known) and its kernel; always 1.")
	p.Value("guest_info", 1, "platform", s.Platform, "kernel", s.Kernel)
	p.Gauge("memory_total_bytes", "Memory that the kernel manages.")
	p.Value("memory_total_bytes", s.Books.Total)
	p.Gauge("memory_available_bytes", "Memory that programs could have without swapping, unaccepted memory among it.")
	p.Value("memory_available_bytes", s.Books.Available)
	p.Gauge("memory_unaccepted_supported", "1 if the kernel keeps books on unaccepted memory.")
	if !s.Support {
		p.Value("memory_unaccepted_supported", 0)
	} else {
		p.Value("memory_unaccepted_supported", 1)
		p.Gauge("memory_unaccepted_bytes", "Memory that has not been accepted yet.")
		p.Value("memory_unaccepted_bytes", s.Books.Unaccepted)
		if len(s.Zones) > 0 {
			p.Gauge("zone_unaccepted_bytes", "Memory of a zone that has not been accepted yet.")
		}
		for _, z := range s.Zones {
			p.Value("zone_unaccepted_bytes", z.Unaccepted, "node", strconv.Itoa(z.Node), "zone", z.Name)
		}
	}
	if s.Blocks.Size != 0 {
		p.Gauge("memory_block_size_bytes", "Unit in which memory is added and removed.")
		p.Value("memory_block_size_bytes", s.Blocks.Size)
		p.Gauge("memory_blocks", "Such units, by state.")
		p.Value("memory_blocks", uint64(s.Blocks.Online), "state", "online")
		p.Value("memory_blocks", uint64(s.Blocks.Offline), "state", "offline")
	}
	_, err := p.WriteTo(w)
	return err
}
