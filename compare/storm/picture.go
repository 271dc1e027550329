package storm

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/record"
	runpage "github.com/tacit-vm/tacit/record/page"
)

// The picture is one file that needs nothing else: no script, no font, no address but that of its format.
//
//go:embed picture.svg
var pictureText string

var pictureTemplate = template.Must(template.New("picture").Parse(pictureText))

// Measures of the picture, in units of its view box.
const (
	width       = 740
	plotLeft    = 64
	plotRight   = 720
	plotHeight  = 300
	lineHeight  = 20 // of text
	stripHeight = 34
	colours     = 6 // then they come again, with dashes
)

type picture struct {
	Theme         template.CSS
	Width, Height int
	Lines         []line // of axes
	Curves        []shape
	Texts         []text
}

type line struct{ X1, Y1, X2, Y2 int }

// A shape is what belongs to a curve: a polyline with a dot at each boot, or the area below a staircase.
type shape struct {
	Class string
	Path  string
	Dots  []dot
}

type dot struct {
	X, Y  int
	Title string
}

type text struct {
	X, Y          int
	Anchor, Class string
	Text          string
}

// WritePicture writes, as SVG, the time to init against the number of processors, and below how many of them accepted at
// the same time, in the boot of each curve that has the most processors.
func (s *Storm) WritePicture(w io.Writer) error {
	p := &picture{Theme: template.CSS(runpage.Theme), Width: width}
	p.times(s)
	p.acceptors(s)
	p.Height += 8
	var b bytes.Buffer
	if err := pictureTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func class(curve int) string {
	class := fmt.Sprintf("c%d", curve%colours)
	if curve/colours%2 == 1 {
		class += " dashed"
	}
	return class
}

func (p *picture) say(x int, anchor, class, words string) {
	p.Texts = append(p.Texts, text{x, p.Height + 15, anchor, class, record.Printable(words)})
}

// title says what comes below it.
func (p *picture) title(words string) {
	p.say(0, "start", "title", words)
	p.Height += lineHeight + 4
}

// times are the curves of the time to init, with both axes logarithmic.
func (p *picture) times(s *Storm) {
	p.title("Virtual time to init, by the number of processors")
	for i, c := range s.Curves {
		p.Curves = append(p.Curves, shape{Class: class(i), Path: fmt.Sprintf("M0,%dH28", p.Height+10), Dots: []dot{{X: 14, Y: p.Height + 10}}})
		p.say(36, "start", "", c.title())
		p.Height += lineHeight
	}
	others := s.others()
	if len(others) > 0 {
		p.Curves = append(p.Curves, shape{Class: "others", Path: fmt.Sprintf("M14,%dv12", p.Height+4)})
		p.say(36, "start", "", threadName)
		p.Height += lineHeight
	}
	p.Height += 8
	x, y, ok := s.scales(others, p.Height)
	if !ok {
		p.say(plotLeft, "start", "quiet", "no boot got to its first program")
		p.Height += lineHeight
		return
	}
	for _, tick := range x.ticks {
		p.Lines = append(p.Lines, line{x.at(tick), p.Height, x.at(tick), p.Height + plotHeight})
		p.Texts = append(p.Texts, text{x.at(tick), p.Height + plotHeight + 16, "middle", "quiet", fmt.Sprint(tick)})
	}
	for _, tick := range y.ticks {
		p.Lines = append(p.Lines, line{plotLeft, y.at(tick), plotRight, y.at(tick)})
		p.Texts = append(p.Texts, text{plotLeft - 6, y.at(tick) + 4, "end", "quiet", fmt.Sprintf("%g s", tick)})
	}
	for i, c := range s.Curves {
		drawn := shape{Class: class(i)}
		var path strings.Builder
		for _, row := range c.Rows {
			if row.Boot == nil {
				continue
			}
			d := dot{x.at(float64(row.CPUs)), y.at(seconds(row.Init)), fmt.Sprintf("%s, %d processors: %s", c.title(), row.CPUs, record.FormatNS(row.Init))}
			fmt.Fprintf(&path, "%s%d,%d", [2]string{"M", "L"}[min(len(drawn.Dots), 1)], d.X, d.Y)
			drawn.Dots = append(drawn.Dots, d)
		}
		drawn.Path = path.String()
		p.Curves = append(p.Curves, drawn)
	}
	for _, m := range others {
		at := x.at(float64(m.cpus))
		p.Curves = append(p.Curves, shape{Class: "others", Path: fmt.Sprintf("M%d,%dV%dM%d,%dh12M%d,%dh12", at, y.at(m.from), y.at(m.to), at-6, y.at(m.from), at-6, y.at(m.to))})
	}
	p.Height += plotHeight + lineHeight + 12
}

func seconds(ns int64) float64 { return float64(max(ns, 1)) / 1e9 }

// others are the measurements of the thread, where a boot is near enough to be held against them: a TD on small pages
// with as many processors.
func (s *Storm) others() (all []measured) {
	for _, m := range thread {
		for _, c := range s.Curves {
			if c.Platform == "tdx" && strings.Contains(c.With, "host-page-4K") && slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Boot != nil && r.CPUs == m.cpus }) {
				all = append(all, m)
				break
			}
		}
	}
	return all
}

// A scale is logarithmic.
type scale struct {
	low, high float64 // of what is shown
	from, to  int     // where that is
	ticks     []float64
}

func (s scale) at(n float64) int {
	if s.high <= s.low {
		return (s.from + s.to) / 2
	}
	return s.from + int(math.Round(math.Log(n/s.low)/math.Log(s.high/s.low)*float64(s.to-s.from)))
}

// scales are those of the processors and of the seconds, for a plot whose upper edge is at top.
func (s *Storm) scales(others []measured, top int) (x, y scale, ok bool) {
	var cpus, times []float64
	for _, c := range s.Curves {
		for _, row := range c.Rows {
			if row.Boot != nil {
				cpus, times = append(cpus, float64(row.CPUs)), append(times, seconds(row.Init))
			}
		}
	}
	if len(cpus) == 0 {
		return x, y, false
	}
	for _, m := range others {
		times = append(times, m.from, m.to)
	}
	slices.Sort(cpus)
	cpus = slices.Compact(cpus)
	x = scale{cpus[0], cpus[len(cpus)-1], plotLeft, plotRight - 8, cpus}
	y = scale{from: top + plotHeight, to: top}
	low, high := slices.Min(times), slices.Max(times)
	for exponent := math.Floor(math.Log10(low)); ; exponent++ {
		for _, m := range []float64{1, 2, 5} {
			switch tick := m * math.Pow(10, exponent); {
			case tick <= low:
				y.ticks = []float64{tick}
			default:
				y.ticks = append(y.ticks, tick)
				if tick >= high {
					y.low, y.high = y.ticks[0], tick
					return x, y, true
				}
			}
		}
	}
}

// acceptors are a strip for each curve.
func (p *picture) acceptors(s *Storm) {
	p.title("Processors that accepted at the same time, with the most processors")
	var until, most = int64(1), 1
	rows := make([]Row, len(s.Curves))
	for i, c := range s.Curves {
		for _, row := range c.Rows {
			if row.Boot != nil && row.Over != nil {
				rows[i] = row
			}
		}
		if b := rows[i].Boot; b != nil {
			until, most = max(until, b.Init, b.Over.StretchNS*int64(len(b.Over.MostIn))), max(most, b.Most)
		}
	}
	at := func(ns int64) int {
		return plotLeft + int(float64(min(ns, until))/float64(until)*(plotRight-plotLeft))
	}
	for i, c := range s.Curves {
		b := rows[i].Boot
		if b == nil {
			continue
		}
		p.say(plotLeft, "start", "", fmt.Sprintf("%d processors: %s", rows[i].CPUs, c.title()))
		p.Height += lineHeight
		base := p.Height + stripHeight
		var path strings.Builder
		fmt.Fprintf(&path, "M%d,%d", plotLeft, base)
		for n, count := range b.Over.MostIn {
			start := int64(n) * b.Over.StretchNS
			fmt.Fprintf(&path, "H%dV%dH%d", at(start), base-count*stripHeight/most, at(start+b.Over.StretchNS))
		}
		fmt.Fprintf(&path, "V%dZ", base)
		p.Curves = append(p.Curves, shape{Class: "area " + class(i), Path: path.String()})
		p.Lines = append(p.Lines, line{plotLeft, base, plotRight, base}, line{at(b.Init), p.Height, at(b.Init), base})
		p.Texts = append(p.Texts, text{plotLeft - 6, p.Height + 10, "end", "quiet", fmt.Sprint(most)}, text{plotLeft - 6, base + 2, "end", "quiet", "0"})
		p.Height = base + 10
	}
	p.say(plotLeft, "start", "quiet", "0 s")
	p.say(plotRight, "end", "quiet", record.FormatNS(until)+"; the line across is init")
	p.Height += lineHeight
}
