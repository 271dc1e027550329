//go:build linux && amd64

package kernel

import "unsafe"

// startProgram makes the first thread, with the program's entry point and what it expects on its stack (System V ABI,
// AMD64 supplement, section 3.4.1), and goes there.
func (k *kernel) startProgram(p *processor) {
	k.space.next = firstRoom
	k.makeFiles(p)
	_, _, program, resume, _ := addressOf()
	if k.embedded() {
		flags := k.payload.number(payloadFlags)
		if k.hasInput, k.raw = flags&payloadInput != 0, flags&payloadRaw != 0; k.hasInput {
			const ready = 3 // DTR, RTS: the other end waits for that
			k.out(com1+4, ready)
		}
		program = k.loadProgram(p)
	}
	const size = 2 << 20
	k.space.set(programStack, programStack+size, usable)
	s := startStack{sp: programStack + size}
	k.words(&s)
	if k.embedded() {
		k.keepWords(p, "cmdline", s.places[:s.arguments])
		k.keepWords(p, "environ", s.places[s.arguments:s.arguments+s.variables])
	}
	s.sp = (s.sp - 16) &^ 15
	seed := s.sp
	*at(seed), *at(seed + 8) = k.random(), k.random()

	// The count, the arguments, the environment, each with a 0 after them, and the auxiliary vector.
	const pageSizeEntry, randomEntry = 6, 25 // AT_PAGESZ, AT_RANDOM
	auxiliary := [...]uint64{pageSizeEntry, pageSize, randomEntry, seed, 0, 0}
	n := 1 + s.arguments + 1 + s.variables + 1 + uint64(len(auxiliary))
	s.sp = (s.sp - 8*n) &^ 15
	put := s.sp
	*at(put) = s.arguments
	put += 8
	for i := range s.arguments + s.variables {
		if i == s.arguments {
			*at(put) = 0
			put += 8
		}
		*at(put) = s.places[i]
		put += 8
	}
	if s.variables == 0 {
		*at(put) = 0
		put += 8
	}
	*at(put) = 0
	for _, v := range auxiliary {
		put += 8
		*at(put) = v
	}
	const reserved = 2 // RFLAGS bit 1
	t := &k.threads[0]
	k.threadsN = 1
	t.state, t.full = runnable, true
	t.clearFX()
	t.frame = frame{ip: program, sp: s.sp, cs: segUserCode, ss: segUserData, flags: reserved | k.interruptFlag}
	p.since = k.now()
	k.switchTo(p, 0)
	k.leave(p)
	p.inProgram.Store(1)
	k.begun.Store(1)
	jump(p.stack, resume)
}

// A startStack is the program's stack as it is being filled: the texts of its arguments and of its environment.
type startStack struct {
	sp                   uint64
	places               [maxWords]uint64 // of the texts: the arguments, then the variables
	arguments, variables uint64
}

// maxWords is how many arguments and variables there can be together.
const maxWords = 1024

// add puts a text on the stack, with a 0 at its end.
func (s *startStack) add(text []byte, count *uint64) {
	if s.arguments+s.variables == maxWords {
		return
	}
	s.sp -= uint64(len(text)) + 1
	move(s.sp, addressOfBytes(text), uint64(len(text)))
	*(*byte)(pointer(s.sp + uint64(len(text)))) = 0
	s.places[s.arguments+s.variables] = s.sp
	*count++
}

// words puts the program's arguments and its environment on the stack. Arguments are the words of the load options
// (UEFI 2.10, section 9.1: of an unknown format, here UCS-2), or, without those, what the image has for them. Where one
// of the words is "--", those before it are variables of the environment, beside the image's.
func (k *kernel) words(s *startStack) {
	n, split := 0, -1
	for w := range eachWord(k.options[:k.optionsN]) {
		if split < 0 && string(w) == "--" {
			split = n
		}
		n++
	}
	if k.embedded() {
		count := k.payload.number(payloadArgc)
		if n > split+1 {
			count = min(count, 1) // its name; the load options have the others
		}
		k.payloadWords(s, 0, count, &s.arguments)
	} else {
		s.add(bytesOf("guest"), &s.arguments)
	}
	i := 0
	for w := range eachWord(k.options[:k.optionsN]) {
		if i > split {
			s.add(w, &s.arguments)
		}
		i++
	}
	if !k.embedded() {
		s.add(bytesOf("GODEBUG=asyncpreemptoff=1"), &s.variables)
		return
	}
	// Of two variables of one name the Go runtime takes the first.
	i = 0
	for w := range eachWord(k.options[:k.optionsN]) {
		if i < split {
			s.add(w, &s.variables)
		}
		i++
	}
	k.payloadWords(s, k.payload.number(payloadArgc), k.payload.number(payloadEnvc), &s.variables)
}

// eachWord yields the words of a text.
func eachWord(text []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		start := 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && text[i] > ' ' {
				continue
			}
			if i > start && !yield(text[start:i]) {
				return
			}
			start = i + 1
		}
	}
}

// payloadWords puts n of the image's texts on the stack, after so many that are skipped.
func (k *kernel) payloadWords(s *startStack, skip, n uint64, count *uint64) {
	texts := k.payload.bytes(payloadArguments)
	start := 0
	for i := range texts {
		if texts[i] != 0 || n == 0 {
			continue
		}
		if skip > 0 {
			skip--
		} else {
			s.add(texts[start:i], count)
			n--
		}
		start = i + 1
	}
}

// bytesOf is a text as bytes, which are not to be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// addressOfBytes is where bytes are.
func addressOfBytes(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
