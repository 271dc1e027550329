// Command everyday does what Go programs do every day, with the standard library and without anything of tacit's; its words
// say which of that. What it says does not depend on where it runs, nor on how many processors there are.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
)

// parts are what it can do, by their words.
var parts = map[string]func() error{
	"channels": channels, "preempted": preempted, "recovered": recovered, "heap": heap, "pooled": pooled, "ticking": ticking, "metrics": measured,
	"packed": packed, "encoded": encoded, "bignum": bignum, "pictures": pictures, "pages": pages, "logged": logged, "archives": archives, "generic": generic,
	"tls": secured, "zones": zones,
	"files": files, "links": links, "locks": locks, "remapped": remapped, "own": ownFile, "input": input,
}

// endings are how it can end otherwise than by coming to its end.
var endings = map[string]func(){
	"exit7":    func() { defer fmt.Println("not reached"); os.Exit(7) },
	"fatal":    func() { log.SetFlags(0); log.Fatal("as asked") },
	"panic":    func() { panic(fmt.Errorf("outer: %w", errors.New("as asked"))) },
	"nil":      func() { fmt.Println(*nowhere) },
	"deadlock": func() { <-make(chan int) },
	"map":      func() { var m map[string]int; m["a"]++ },
}

func main() {
	for _, word := range os.Args[1:] {
		if end, ok := endings[word]; ok {
			end()
		}
		part, ok := parts[word]
		if !ok {
			fmt.Println("no", word)
			os.Exit(3)
		}
		if err := part(); err != nil {
			fmt.Println(word+":", err)
			os.Exit(1)
		}
		fmt.Println(word, "done")
	}
}
