package page

import (
	"embed"
	"html/template"
	"strings"
)

// Theme is the colours of tacit's pages, as the beginning of a style sheet: the same one for the same thing everywhere. Those
// of memory's states are told apart by people who see no red, no green or no blue, too (palette_test.go).
//
//go:embed theme.css
var Theme string

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed uplot/uPlot.min.css
	chartStyle string
	//go:embed uplot/uPlot.iife.min.js
	chartScript string
	//go:embed uplot/LICENSE
	licence string

	//go:embed script/*.js
	scripts embed.FS
)

// The style and the script of every page, byte for byte as its policy knows them.
var (
	style  = template.CSS(Theme + chartStyle + pageStyle)
	script = template.JS(chartScript + ownScript())
)

// ownScript is the files of script/, which share one scope, in the order in which they need each other.
func ownScript() string {
	var b strings.Builder
	b.WriteString("(() => {\n\"use strict\";\n")
	for _, name := range []string{"run", "words", "clock", "chart", "map", "console", "flame", "table", "start"} {
		text, err := scripts.ReadFile("script/" + name + ".js")
		if err != nil {
			panic(err) // it was embedded
		}
		b.Write(text)
	}
	b.WriteString("})();\n")
	return b.String()
}
