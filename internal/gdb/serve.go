package gdb

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A session is what the connected gdb has said so far.
type session struct {
	greeted  bool // it has been served
	awaiting bool // it has let the machine go on and waits for a stop
	cpu      int  // that it asks about: Hg
	points   []Point
	stop     Stop // why the machine stands still
}

// Serve tells gdb why the machine stands still and answers it until it lets the machine go on. Where no gdb is
// connected it is Detached; where ctx is done, Killed.
func (s *Server) Serve(ctx context.Context, t Target, stop Stop) Resume {
	c := s.connection()
	if c == nil {
		return Resume{How: Detached}
	}
	if stop.Reason == 0 {
		stop.Reason = Trap
	}
	defer context.AfterFunc(ctx, c.hurry)()
	s.greeted, s.stop, s.cpu = true, stop, stop.CPU
	if s.awaiting {
		s.awaiting = false
		s.print(c, stop.Text)
		c.send(s.stopReply(t))
	}
	for {
		switch m := c.receive(ctx.Done()); m.kind {
		case packet:
			r := request{s, c, t, m.body}
			reply, resume := r.serve()
			if resume == nil {
				c.send(reply)
				continue
			}
			return s.resume(c, t, reply, *resume)
		case goodbye:
			how := Detached
			if ctx.Err() != nil {
				how = Killed
			}
			return s.resume(c, t, "", Resume{How: how})
		}
	}
}

// resume sends the last reply and leaves the machine to its run.
func (s *Server) resume(c *conn, t Target, reply string, r Resume) Resume {
	if reply != "" {
		c.send(reply)
	}
	if s.awaiting = r.How == Continue || r.How == Step; !s.awaiting {
		s.hangUp()
		_ = t.SetPoints(nil) // none at all cannot be too many
	}
	return r
}

// Exited tells gdb that there is nothing left to debug, with the exit status that it shows, and why.
func (s *Server) Exited(status uint8, text string) {
	c := s.connection()
	if c == nil || !s.awaiting {
		return
	}
	s.print(c, text)
	c.send(fmt.Sprintf("W%02x", status))
	s.hangUp()
}

// print shows text on gdb's console, which it does while it waits.
func (s *Server) print(c *conn, text string) {
	const piece = packetSize/2 - 1
	for len(text) > 0 {
		n := min(len(text), piece)
		c.send("O" + hex.EncodeToString([]byte(text[:n])))
		text = text[n:]
	}
}

// Replies that say no more.
const (
	replyOK      = "OK"
	replyInvalid = "E16" // EINVAL, decimal 22: the packet makes no sense
	replyFault   = "E0e" // EFAULT, decimal 14
	replyNone    = ""    // the packet is not known
)

// A request is a packet to be answered.
type request struct {
	s    *Server
	c    *conn
	t    Target
	args string // what follows the packet's name
}

// requests has every packet that is known, by what it begins with. Of several the first counts. A name of several
// letters ends where the packet does, or at one of ",:;", which may be part of the name here.
var requests = []struct {
	name  string
	serve func(r *request) (string, *Resume)
}{
	{"qSupported", answer((*request).supported)},
	{"QStartNoAckMode", answer((*request).noAcknowledgements)},
	{"qXfer:features:read:target.xml:", answer((*request).description)},
	{"qAttached", answer(func(*request) string { return "1" })}, // leaving gdb leaves the machine running
	{"qC", answer(func(r *request) string { return "QC" + thread(r.s.cpu) })},
	{"qfThreadInfo", answer((*request).threads)},
	{"qsThreadInfo", answer(func(*request) string { return "l" })},
	{"qThreadExtraInfo,", answer((*request).threadName)},
	{"qRcmd,", answer((*request).monitor)},
	{"vMustReplyEmpty", answer(func(*request) string { return replyNone })},
	{"vCont?", answer(func(*request) string { return "vCont;c;C;s;S;r" })},
	{"vCont;", (*request).goOn},
	{"vKill", func(*request) (string, *Resume) { return replyOK, &Resume{How: Killed} }},
	{"?", answer(func(r *request) string { return r.s.stopReply(r.t) })},
	{"H", answer((*request).selectThread)},
	{"T", answer((*request).isThread)},
	{"g", answer((*request).readRegisters)},
	{"G", answer((*request).writeRegisters)},
	{"p", answer((*request).readRegister)},
	{"P", answer((*request).writeRegister)},
	{"m", answer((*request).readMemory)},
	{"M", answer((*request).writeMemory)},
	{"X", answer((*request).writeBinary)},
	{"Z", answer((*request).insert)},
	{"z", answer((*request).remove)},
	{"D", func(*request) (string, *Resume) { return replyOK, &Resume{How: Detached} }},
	{"k", func(*request) (string, *Resume) { return "", &Resume{How: Killed} }},
}

func answer(f func(r *request) string) func(*request) (string, *Resume) {
	return func(r *request) (string, *Resume) { return f(r), nil }
}

func (r *request) serve() (string, *Resume) {
	for _, known := range requests {
		args, ok := strings.CutPrefix(r.args, known.name)
		whole := len(known.name) == 1 || args == "" || strings.ContainsAny(args[:1]+known.name[len(known.name)-1:], ",:;")
		if ok && whole {
			r.args = args
			return known.serve(r)
		}
	}
	return replyNone, nil
}

func (r *request) supported() string {
	return fmt.Sprintf("PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;swbreak+;hwbreak+;vContSupported+", packetSize)
}

func (r *request) noAcknowledgements() string {
	r.c.quiet = true
	return replyOK
}

// description is a piece of the target description: "offset,length" is asked for.
func (r *request) description() string {
	offset, n, ok := r.two(",")
	if !ok {
		return replyInvalid
	}
	xml := description()
	if offset >= uint64(len(xml)) {
		return "l"
	}
	piece := xml[offset:]
	if n < uint64(len(piece)) {
		return "m" + piece[:n]
	}
	return "l" + piece
}

// Threads are processors, counted from 1.

func thread(cpu int) string { return strconv.FormatInt(int64(cpu)+1, 16) }

// cpuOf reads a thread's number; 0 and -1, any and all, are the processor that is asked about already.
func (r *request) cpuOf(thread string) (cpu int, ok bool) {
	n, err := strconv.ParseInt(thread, 16, 32)
	switch {
	case err != nil || n < -1 || n > int64(r.t.CPUs()):
		return 0, false
	case n <= 0:
		return r.s.cpu, true
	}
	return int(n) - 1, true
}

func (r *request) threads() string {
	all := make([]string, r.t.CPUs())
	for cpu := range all {
		all[cpu] = thread(cpu)
	}
	return "m" + strings.Join(all, ",")
}

func (r *request) threadName() string {
	cpu, ok := r.cpuOf(r.args)
	if !ok {
		return replyInvalid
	}
	return hex.EncodeToString(fmt.Appendf(nil, "CPU %d", cpu))
}

// selectThread is H: "g" and "c" with a thread. What goes on is said by vCont, so Hc means nothing.
func (r *request) selectThread() string {
	if len(r.args) < 2 {
		return replyInvalid
	}
	cpu, ok := r.cpuOf(r.args[1:])
	if !ok {
		return replyInvalid
	}
	if r.args[0] == 'g' {
		r.s.cpu = cpu
	}
	return replyOK
}

func (r *request) isThread() string {
	if _, ok := r.cpuOf(r.args); !ok {
		return replyInvalid
	}
	return replyOK
}

// monitor is qRcmd: a command in hexadecimal.
func (r *request) monitor() string {
	command, err := hex.DecodeString(r.args)
	if err != nil {
		return replyInvalid
	}
	r.s.print(r.c, r.t.Monitor(string(command)))
	return replyOK
}

// memory reads "address,length" and, for a write, ":" and the rest. The length is bounded by what fits a packet.
func (r *request) memory() (address, n uint64, rest string, ok bool) {
	where, rest, _ := strings.Cut(r.args, ":")
	r.args = where
	address, n, ok = r.two(",")
	return address, min(n, packetSize/2), rest, ok
}

func (r *request) readMemory() string {
	address, n, _, ok := r.memory()
	if !ok {
		return replyInvalid
	}
	p := make([]byte, n)
	got := r.t.ReadMemory(r.s.cpu, address, p)
	if got == 0 && n != 0 {
		return replyFault
	}
	return hex.EncodeToString(p[:got])
}

func (r *request) writeMemory() string {
	address, n, rest, ok := r.memory()
	p, err := hex.DecodeString(rest)
	if !ok || err != nil || uint64(len(p)) != n {
		return replyInvalid
	}
	return r.write(address, p)
}

func (r *request) writeBinary() string {
	address, n, rest, ok := r.memory()
	if !ok || uint64(len(rest)) != n {
		return replyInvalid
	}
	return r.write(address, []byte(rest))
}

func (r *request) write(address uint64, p []byte) string {
	if len(p) > 0 && r.t.WriteMemory(r.s.cpu, address, p) != nil {
		return replyFault
	}
	return replyOK
}

// two reads two hexadecimal numbers from the arguments.
func (r *request) two(separator string) (a, b uint64, ok bool) {
	first, second, found := strings.Cut(r.args, separator)
	a, err := strconv.ParseUint(first, 16, 64)
	if !found || err != nil {
		return 0, 0, false
	}
	b, err = strconv.ParseUint(second, 16, 64)
	return a, b, err == nil
}
