package main

import (
	"fmt"
	"slices"
	"strings"
)

// choice is one of a few words, as a flag.
type choice struct {
	word    string
	allowed []string
}

func (c *choice) String() string { return c.word }

func (c *choice) Set(text string) error {
	err := known(text, c.allowed)
	if err == nil {
		c.word = text
	}
	return err
}

func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

func (c *choice) words() []string { return c.allowed }

// choices are some of a few words, as a flag: with commas between them, and given several times.
type choices struct {
	chosen  *[]string
	allowed []string
	set     bool // the default has been replaced
}

func (c *choices) String() string { return strings.Join(*c.chosen, ",") }

func (c *choices) Set(text string) error {
	var chosen []string
	for word := range strings.SplitSeq(text, ",") {
		if err := known(word, c.allowed); err != nil {
			return fmt.Errorf("%q: %w", word, err)
		}
		chosen = append(chosen, word)
	}
	if c.set {
		chosen = slices.Concat(*c.chosen, chosen)
	}
	*c.chosen, c.set = chosen, true
	return nil
}

func (c *choices) Type() string { return strings.Join(c.allowed, ",") }

func (c *choices) words() []string { return c.allowed }

// acceptance is how much memory the firmware accepts, as a flag: a size, or what OVMF does.
type acceptance struct {
	bytes size
	ovmf  bool
}

func (a *acceptance) String() string {
	if a.ovmf {
		return "ovmf"
	}
	return a.bytes.String()
}

func (a *acceptance) Set(text string) error {
	if text == "ovmf" {
		*a = acceptance{ovmf: true}
		return nil
	}
	v, err := parseSize(text)
	if err != nil {
		return fmt.Errorf("%w; or ovmf", err)
	}
	*a = acceptance{bytes: v}
	return nil
}

func (*acceptance) Type() string { return "SIZE|ovmf" }

func (*acceptance) words() []string { return []string{"ovmf"} }
