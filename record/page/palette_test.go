package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// States are told apart by their colours by all people, so there must be a distance between any two, as a reader with each
// kind of colour blindness sees them, in light and in dark. How such a reader sees is simulated by the matrices of Machado,
// Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), for full severity;
// the distance is that of CIELAB (CIE 1976), in which 2.3 is just noticed.
func TestPaletteForTheColourBlind(t *testing.T) {
	seen := map[string][3][3]float64{
		"all cones": {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		"no red":    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
		"no green":  {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
		"no blue":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
	}
	light, dark, found := strings.Cut(Theme, "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("the theme has no dark colours")
	}
	states := []string{"unaccepted", "firmware", "stub", "kernel", "shared"}
	const apart = 25
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		for reader, matrix := range seen {
			for i, a := range states {
				for _, b := range states[:i] {
					if d := distance(lab(see(colourOf(t, css, a), matrix)), lab(see(colourOf(t, css, b), matrix))); d < apart {
						t.Errorf("%s, %s: %s and %s are only %.0f apart", scheme, reader, a, b, d)
					}
				}
			}
		}
	}
}

// Text has the contrast that WCAG 2.1 asks for (1.4.3: 4.5 to 1), on the page and on what is raised above it.
func TestContrast(t *testing.T) {
	light, dark, _ := strings.Cut(Theme, "@media (prefers-color-scheme: dark)")
	luminance := func(css, name string) float64 {
		c := colourOf(t, css, name)
		return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		for _, pair := range [][2]string{
			{"text", "back"}, {"quiet", "back"}, {"link", "back"}, {"text", "raised"}, {"quiet", "raised"}, {"back", "link"},
			{"text", "pale"}, {"text", "unaccepted"}, {"text", "firmware"}, // of the flame graph
		} {
			a, b := luminance(css, pair[0]), luminance(css, pair[1])
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", scheme, pair[0], pair[1], got)
			}
		}
	}
}

// colourOf is a colour of the theme in linear light.
func colourOf(t *testing.T, css, name string) (c [3]float64) {
	t.Helper()
	m := regexp.MustCompile(`--` + name + `: #([0-9a-f]{6});`).FindStringSubmatch(css)
	if m == nil {
		t.Fatalf("the theme has no colour %s", name)
	}
	for i := range c {
		n, err := strconv.ParseUint(m[1][2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		v := float64(n) / 255
		if c[i] = v / 12.92; v > 0.04045 {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return c
}

func see(c [3]float64, by [3][3]float64) (as [3]float64) {
	for i, row := range by {
		as[i] = min(max(row[0]*c[0]+row[1]*c[1]+row[2]*c[2], 0), 1)
	}
	return as
}

// lab is a colour in CIELAB, for the white of D65.
func lab(c [3]float64) [3]float64 {
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124*c[0] + 0.3576*c[1] + 0.1805*c[2]) / 0.95047)
	y := f(0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2])
	z := f((0.0193*c[0] + 0.1192*c[1] + 0.9505*c[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}
