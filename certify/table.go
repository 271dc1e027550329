package certify

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// Head names the columns of the table of boots.
func Head() []string {
	return []string{"image", "platform", "policy", "memory", "init", "sees", "unaccepted at init", "accepted by firmware", "stub", "kernel", "outcome", "virtual", "host"}
}

// Rows are the rows of the table that are of verdict i: one a boot, or one that says why there is none. Their text is as the
// image has it.
func (c *Certificate) Rows(i int) (rows [][]string) {
	if c.Verdicts[i].Error != "" {
		rows = append(rows, c.Verdicts[i].notBooted())
	}
	for _, boot := range of(i, c.Boots) {
		rows = append(rows, boot.row())
	}
	return rows
}

// WriteTable writes one row a boot, then one verdict line an image, then what disagrees and what is required and not so.
// The last line counts the images.
func (c *Certificate) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(Head(), "\t"))
	write := func(row []string) {
		for i := range row {
			row[i] = record.Printable(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	for i := range c.Verdicts {
		for _, row := range c.Rows(i) {
			write(row)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(&b)
	for _, v := range c.Verdicts {
		fmt.Fprintln(&b, record.Printable(v.Line))
	}
	for _, v := range c.Verdicts {
		for _, d := range v.Disagreements {
			fmt.Fprintf(&b, "DISAGREEMENT  %s: %s\n", record.Printable(v.Image), record.Printable(d))
		}
	}
	for _, v := range c.Verdicts {
		for _, u := range v.unmet {
			fmt.Fprintf(&b, "%s: %s\n", record.Printable(v.Image), record.Printable(u))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", c.Summary())
	_, err := w.Write(b.Bytes())
	return err
}

// Summary counts the images in one line.
func (c *Certificate) Summary() string {
	images := "images"
	if len(c.Verdicts) == 1 {
		images = "image"
	}
	line := fmt.Sprintf("%d %s: %d passed, %d failed, %d could not be judged", len(c.Verdicts), images,
		c.Count(Passed), c.Count(Failed), c.Count(Unjudged))
	if !slices.ContainsFunc(c.Verdicts, func(v Verdict) bool { return len(v.Required) > 0 }) {
		line += "; nothing was required"
	}
	return line
}

// notBooted is the row of an image that could not be.
func (v *Verdict) notBooted() []string {
	return []string{v.Image, "-", "-", "-", "-", "-", "-", "-", "-", "-", "error: " + v.Error, "-", "-"}
}

func (b *Boot) row() []string {
	row := []string{b.Image, b.Platform, b.Policy, record.FormatBytes(b.Memory)}
	r := b.Record
	if r == nil {
		return append(row, "-", "-", "-", "-", "-", "-", "error: "+b.Error, "-", "-")
	}
	reached, sees, left := "no", "-", "-"
	if b.Reached() {
		reached, left = "silent", mebibytes(*r.Acceptance.UnacceptedAtInit)
		if b.Reports() {
			reached, sees = "yes", mebibytes(b.Sees())
		} else if up := r.Guest.Up; up != nil {
			reached = up.By
		}
		if b.Loses() {
			if told := b.told(); sees == "-" && told > 0 {
				sees = "told " + mebibytes(told)
			}
			sees += " LOST"
		}
	}
	by := &r.Acceptance.By
	return append(row, reached, sees, left, mebibytes(by.Firmware.Bytes), mebibytes(by.Stub.Bytes), mebibytes(by.Kernel.Bytes),
		string(r.Outcome), record.FormatNS(r.VirtualNS.Total), record.FormatNS(r.Host.WallNS))
}

func mebibytes(n uint64) string { return record.FormatCount(n>>20) + " MiB" }

// WriteJSON writes the certificate with every record in it.
func (c *Certificate) WriteJSON(w io.Writer) error {
	return schema.Write(w, c)
}
