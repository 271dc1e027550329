package gdb

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// packetSize bounds a packet's body in bytes, in both directions: gdb is told so. A G packet with all registers takes
// 1500.
const packetSize = 16 << 10

// A message is what came in on a connection.
type message struct {
	kind messageKind
	body string // of a packet, unescaped
}

type messageKind uint8

const (
	packet    messageKind = iota
	damaged               // a packet whose checksum does not fit
	resend                // '-': gdb has got a damaged one
	interrupt             // 0x03
	goodbye               // there is nothing more
)

// A conn is a connection with a gdb. One goroutine reads it; all else, writing too, is for the one that runs the
// target.
type conn struct {
	net.Conn
	messages chan message // closed after the last message
	hungUp   chan struct{}
	unread   *message // looked at by pending
	quiet    bool     // no acknowledgements: QStartNoAckMode
	last     string   // packet sent, for resend

	mu      sync.Mutex
	hurried bool // the run that is debugged has no time any more
}

// How long a gdb may leave a packet unread.
const (
	writePatience = 5 * time.Second
	writeHurry    = 200 * time.Millisecond // when the run is to end
)

// newConn makes a connection of one on which a first packet has come in.
func newConn(c net.Conn, r *bufio.Reader, first message, wake func()) *conn {
	k := &conn{Conn: c, messages: make(chan message, 8), hungUp: make(chan struct{})}
	k.messages <- first
	go k.read(r, wake)
	return k
}

// hurry ends a write that is under way, and gives later ones little time.
func (c *conn) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hurried = true
	_ = c.SetWriteDeadline(time.Unix(1, 0)) // a connection that is gone shows when it is read
}

// write writes. With a gdb that does not read there is nothing to talk about: that ends the connection.
func (c *conn) write(text string) {
	c.mu.Lock()
	patience := writePatience
	if c.hurried {
		patience = writeHurry
	}
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	c.mu.Unlock()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		_ = c.Close() // which shows when it is read
	}
}

// hangUp ends the connection, once.
func (c *conn) hangUp() {
	close(c.hungUp)
	_ = c.Close() // nothing is lost that anybody waits for
}

// read takes the stream apart (gdb manual, E.1). It blocks where the messages are not taken.
func (c *conn) read(r *bufio.Reader, wake func()) {
	defer wake()
	defer close(c.messages)
	for {
		m, ok, err := readMessage(r)
		if err != nil {
			_ = c.Close() // what is there is no gdb, or not any more
			return
		}
		if !ok {
			continue
		}
		select {
		case c.messages <- m:
			wake()
		case <-c.hungUp:
			return
		}
	}
}

// errNoise ends a connection on which something else is spoken. A browser sends what a web page tells it to any port of
// this machine, and packets may be in the middle of that.
var errNoise = errors.New("gdb: a byte between packets that is none of the protocol's")

// readMessage reads one message; ok is false for what means nothing: acknowledgements.
func readMessage(r *bufio.Reader) (m message, ok bool, err error) {
	b, err := r.ReadByte()
	if err != nil {
		return m, false, err
	}
	switch b {
	case 3:
		return message{kind: interrupt}, true, nil
	case '-':
		return message{kind: resend}, true, nil
	case '$':
		return readPacket(r)
	case '+':
		return m, false, nil
	}
	return m, false, errNoise
}

// readFirst reads the first packet, which a gdb sends as soon as it is connected.
func readFirst(r *bufio.Reader) (message, error) {
	for {
		m, ok, err := readMessage(r)
		switch {
		case err != nil:
			return m, err
		case ok && m.kind == damaged:
			return m, errNoise
		case ok && m.kind == packet:
			return m, nil
		}
	}
}

// readPacket reads a packet after its '$'. What is longer than packetSize counts as damaged.
func readPacket(r *bufio.Reader) (message, bool, error) {
	var (
		body    []byte
		sum     uint8
		escaped bool
		length  int
	)
	for {
		b, err := r.ReadByte()
		if err != nil {
			return message{}, false, err
		}
		if b == '#' {
			break
		}
		if b == '$' { // the one before was cut off
			body, sum, escaped, length = body[:0], 0, false, 0
			continue
		}
		sum += b
		length++
		switch {
		case length > packetSize:
			body = nil
		case b == '}' && !escaped:
			escaped = true
			continue
		case escaped:
			body = append(body, b^0x20)
		default:
			body = append(body, b)
		}
		escaped = false
	}
	var digits [2]byte
	if _, err := io.ReadFull(r, digits[:]); err != nil {
		return message{}, false, err
	}
	want, err := hex.DecodeString(string(digits[:]))
	if err != nil || want[0] != sum || length > packetSize {
		return message{kind: damaged}, true, nil
	}
	return message{packet, string(body)}, true, nil
}

// frame makes a packet of a body, escaped.
func frame(body string) string {
	b := make([]byte, 0, len(body)+4)
	b = append(b, '$')
	for i := range len(body) {
		switch v := body[i]; v {
		case '$', '#', '}', '*':
			b = append(b, '}', v^0x20)
		default:
			b = append(b, v)
		}
	}
	var sum uint8
	for _, v := range b[1:] {
		sum += v
	}
	return fmt.Sprintf("%s#%02x", b, sum)
}

// send sends a packet. A connection that is gone shows when it is read.
func (c *conn) send(body string) {
	c.last = frame(body)
	c.write(c.last)
}

// handle deals with what is the connection's own matter: acknowledgements. It says whether m is a packet, an interrupt
// or the end.
func (c *conn) handle(m message) bool {
	switch m.kind {
	case damaged:
		if !c.quiet {
			c.write("-")
		}
		return false
	case resend:
		if !c.quiet {
			c.write(c.last)
		}
		return false
	case packet:
		if !c.quiet {
			c.write("+")
		}
	}
	return true
}

// pending says whether there is a message.
func (c *conn) pending() bool {
	for c.unread == nil {
		select {
		case m, ok := <-c.messages:
			if !ok {
				m = message{kind: goodbye}
			}
			if c.handle(m) {
				c.unread = &m
			}
		default:
			return false
		}
	}
	return true
}

// receive waits for a message; done ends the wait.
func (c *conn) receive(done <-chan struct{}) message {
	if m := c.unread; m != nil {
		c.unread = nil
		return *m
	}
	for {
		select {
		case m, ok := <-c.messages:
			if !ok {
				return message{kind: goodbye}
			}
			if c.handle(m) {
				return m
			}
		case <-done:
			return message{kind: goodbye}
		}
	}
}
