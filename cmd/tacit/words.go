package main

import (
	"fmt"
	"strings"
)

// choice is one of a few words, as a flag.
type choice struct {
	word    string
	allowed []string
}

func (c *choice) String() string { return c.word }

func (c *choice) Set(text string) error {
	for _, word := range c.allowed {
		if word == text {
			c.word = word
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(c.allowed, ", "))
}

func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

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
