package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// otherNames are what people call the platforms.
var otherNames = map[string]string{"sev": "snp", "amd": "snp", "intel": "tdx", "td": "tdx", "plain": "none", "off": "none"}

// nearest returns the word that was probably meant; "" if none is near.
func nearest(text string, words []string) string {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	}
	text = plain(text)
	if text == "" {
		return ""
	}
	if other := otherNames[text]; slices.Contains(words, other) {
		return other
	}
	best, least := "", math.MaxInt
	for _, word := range words {
		w := plain(word)
		d := distance(text, w)
		if d > 1+min(len(text), len(w))/4 { // a letter of a short word, three of a long one
			// What is more, or less, of the word than is needed: sev-snp, nego.
			if !strings.Contains(text, w) && (len(text) < 3 || !strings.HasPrefix(w, text)) {
				continue
			}
		}
		if d < least {
			best, least = word, d
		}
	}
	return best
}

// distance is how many letters have to be inserted, removed, changed or swapped with the next to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], 1+rows[i-2][j-2])
			}
		}
	}
	return rows[len(a)][len(b)]
}

// known returns nil for one of the words, and else an error that names all of them and the one that was probably meant.
func known(text string, words []string) error {
	if slices.Contains(words, text) {
		return nil
	}
	there := "there are " + strings.Join(words, ", ")
	if near := nearest(text, words); near != "" {
		return fmt.Errorf("did you mean %s? T%s", near, there[1:])
	}
	return fmt.Errorf("%s", there)
}
