//go:build linux && amd64

// Command prompt is what tacit boot --interactive starts when it is given no image: an ordinary Go program on the kernel in
// Go (command guest/monitor), which takes commands from the console and shows what becomes of memory.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/guest/kernel"
)

const help = `alloc SIZE      map memory, such as 1G or 64M; nothing is accepted for that
touch           write to each page of what is mapped, for which it has to be accepted
free            give all of it back; what is accepted stays so
meminfo         what the kernel's books say
map             the same as a bar
storm N [SIZE]  N threads map and touch SIZE (8M) each at the same time, look whether it is theirs alone, and give it back
help            this
quit            switch the machine off; so does Control-D
`

func main() {
	s := kernel.Describe()
	if s.Memory == 0 {
		fmt.Fprintln(os.Stderr, "prompt: this is the whole software of a guest, on tacit's kernel in Go; it runs nowhere else")
		os.Exit(2)
	}
	processors := "one processor"
	if n := runtime.NumCPU(); n != 1 {
		processors = fmt.Sprint(n, " processors")
	}
	fmt.Printf("%s on %v, %s, %s of memory, of which firmware left %s unaccepted\nhelp lists the commands\n",
		runtime.Version(), s.Platform, processors, mib(s.Memory), mib(s.Unaccepted))
	p := &prompt{system: s}
	in := bufio.NewScanner(os.Stdin) // a line of more than 64 KiB is its end
	for {
		fmt.Print("> ")
		if !in.Scan() {
			break
		}
		words := strings.Fields(in.Text())
		if len(words) == 0 {
			continue
		}
		if words[0] == "quit" && len(words) == 1 {
			return
		}
		if err := p.do(words); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println()
}

// do carries out one command.
func (p *prompt) do(words []string) error {
	switch name, arguments := words[0], words[1:]; {
	case name == "alloc" && len(arguments) == 1:
		n, err := size(arguments[0])
		if err != nil {
			return err
		}
		return p.alloc(n)
	case name == "touch" && len(arguments) == 0:
		return p.touch()
	case name == "free" && len(arguments) == 0:
		return p.free()
	case name == "meminfo" && len(arguments) == 0:
		p.meminfo()
	case name == "map" && len(arguments) == 0:
		p.bar()
	case name == "storm" && (len(arguments) == 1 || len(arguments) == 2):
		n, err := strconv.Atoi(arguments[0])
		if err != nil || n < 1 || n > maxStorm {
			return fmt.Errorf("storm %s: want a number from 1 to %d", arguments[0], maxStorm)
		}
		each := uint64(8 << 20)
		if len(arguments) == 2 {
			if each, err = size(arguments[1]); err != nil {
				return err
			}
		}
		return p.storm(n, each)
	case name == "help":
		fmt.Print(help)
	default:
		return fmt.Errorf("%s: not a command; help lists them", strings.Join(words, " "))
	}
	return nil
}

// size reads an amount of memory, in whole pages.
func size(text string) (uint64, error) {
	for unit, shift := range map[string]uint{"K": 10, "M": 20, "G": 30, "T": 40} {
		if digits, ok := strings.CutSuffix(strings.ToUpper(text), unit); ok {
			n, err := strconv.ParseUint(digits, 10, 20)
			if err != nil || n == 0 || n<<shift%pageSize != 0 {
				break
			}
			return n << shift, nil
		}
	}
	return 0, fmt.Errorf("%s: want a number of whole pages of 4 KiB with K, M, G or T, such as 64M", text)
}
