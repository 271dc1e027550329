package storm

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
)

// title is what the boots of a curve have in common.
func (c *Curve) title() string {
	return record.Printable(fmt.Sprintf("%s, %s, %s, %s", c.Image, c.Platform, record.FormatBytes(c.Memory), c.With))
}

// WriteTable writes a table for each curve, and what has to be known to read it.
func (s *Storm) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	for _, c := range s.Curves {
		fmt.Fprintf(&b, "%s\n\n", c.title())
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		head := []string{"processors", "init", "accepted", "on the first", "at the same time"}
		locks := c.locks()
		for _, l := range locks {
			head = append(head, "first waits: "+l, "all wait: "+l)
		}
		fmt.Fprintln(t, strings.Join(append(head, "outcome"), "\t"))
		for _, row := range c.Rows {
			fmt.Fprintln(t, strings.Join(row.cells(locks), "\t"))
		}
		_ = t.Flush() // into memory
		for _, row := range c.Rows {
			if row.Note != "" {
				fmt.Fprintf(&b, "\n%d processors: %s\n", row.CPUs, record.Printable(row.Note))
			}
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "init is virtual time to the first instruction of the first program, by %s: most numbers of the cost models are\n"+
		"estimates. accepted is what the guest accepted on all its processors, firmware's part not included; at the same time is\n"+
		"how many did within one millisecond, at most; what they waited for each other is until the end.\n", strings.Join(append(s.Models, "no model")[:max(len(s.Models), 1)], " and "))
	_, err := w.Write(b.Bytes())
	return err
}

// locks are those that somebody waited for, in the order of package cost.
func (c *Curve) locks() (names []string) {
	for _, l := range cost.Locks() {
		for _, row := range c.Rows {
			if row.Boot != nil && row.Waited[l.String()] != (Waited{}) {
				names = append(names, l.String())
				break
			}
		}
	}
	return names
}

func (row Row) cells(locks []string) []string {
	cells := []string{fmt.Sprint(row.CPUs), "-", "-", "-", "-"}
	if row.Boot != nil {
		cells = []string{
			fmt.Sprint(row.CPUs), record.FormatNS(row.Init), mib(row.All), mib(row.First), fmt.Sprint(row.Most),
		}
	}
	for _, l := range locks {
		if row.Boot == nil {
			cells = append(cells, "-", "-")
			continue
		}
		waited := row.Waited[l]
		cells = append(cells, record.FormatNS(waited.First), record.FormatNS(waited.All))
	}
	return append(cells, row.Outcome)
}

func mib(n uint64) string { return record.FormatCount(n>>20) + " MiB" }
