package gdb

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A client speaks the protocol by hand.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func newClient(t testing.TB, address string) *client {
	c := dial(t, address)
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &client{t, c, bufio.NewReader(c)}
}

func (c *client) write(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, raw); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the body of the next packet; acknowledgements in front of it are dropped.
func (c *client) read() string {
	c.t.Helper()
	for {
		m, ok, err := readMessage(c.r)
		if err != nil {
			c.t.Fatal(err)
		}
		if ok {
			return m.body
		}
	}
}

func (c *client) ask(body string) string {
	c.t.Helper()
	c.write(frame(body))
	return c.read()
}

func (c *client) expect(raw string) {
	c.t.Helper()
	b := make([]byte, len(raw))
	if _, err := io.ReadFull(c.r, b); err != nil || string(b) != raw {
		c.t.Fatalf("got %q, %v, want %q", b, err, raw)
	}
}

func TestAcknowledgements(t *testing.T) {
	address, wait := debug(t, newFake(1))
	c := newClient(t, address)
	c.write("+$qAttached#8f")
	c.expect("+$1#31")
	c.write("-")
	c.expect("$1#31")
	c.write("$qAttached#00")
	c.expect("-")
	c.write("$qAttached#zz")
	c.expect("-")
	c.write("$garb$qAttached#8f") // cut off, and sent anew
	c.expect("+$1#31")
	c.write("$" + strings.Repeat("a", packetSize+1) + "#00")
	c.expect("-")
	c.write("$QStartNoAckMode#b0")
	c.expect("+$OK#9a")
	c.write("$qAttached#8f")
	c.expect("$1#31")
	c.write("$D#44")
	c.expect("$OK#9a")
	wait()
}

// What a stub may be asked that gdb's tests above do not ask, or not in this way.
func TestReplies(t *testing.T) {
	f := newFake(2)
	address, wait := debug(t, f)
	c := newClient(t, address)
	c.write(frame("QStartNoAckMode"))
	c.expect("+$OK#9a")
	for _, test := range []struct{ ask, want string }{
		{"vMustReplyEmpty", ""}, {"qCRC:0,10", ""}, {"nonesuch", ""}, {"", ""}, {"qTStatus", ""}, {"bs", ""},
		{"?", "T05thread:1;"}, {"qC", "QC1"}, {"qfThreadInfo", "m1,2"}, {"qsThreadInfo", "l"},
		{"Hg2", "OK"}, {"Hg0", "OK"}, {"Hg-1", "OK"}, {"Hg3", "E16"}, {"Hgx", "E16"}, {"H", "E16"}, {"Hc1", "OK"}, {"qC", "QC2"}, {"T2", "OK"}, {"T7", "E16"}, {"Hg1", "OK"},
		{"qThreadExtraInfo,2", "4350552031"}, {"qThreadExtraInfo,9", "E16"},
		{"m600000,4", "00010203"}, {"m60000e,8", "0e0f"}, {"m700000,1", "E0e"}, {"m600000", "E16"}, {"mx,1", "E16"}, {"m600000,0", ""},
		{"M600000,2:aabb", "OK"}, {"m600000,3", "aabb02"}, {"M600000,3:aabb", "E16"}, {"M600000,1:zz", "E16"}, {"M60000f,2:0102", "E0e"}, {"M600000,1", "E16"},
		{"X600000,3:}\x03}", "OK"}, {"X600000,2:abc", "E16"}, {"X600000,0:", "OK"},
		{"p7", "0070000000000000"}, {"p18", "0000000000000080ff3f"}, {"pffff", "E16"}, {"px", "E16"}, {"p41", "010d000000000000"}, {"p42", "E16"},
		{"P3=0100000000000000", "OK"}, {"p3", "0100000000000000"}, {"P3=01", "E16"}, {"P3", "E16"}, {"P3c=0000000000000000", "E16"}, {"G00", "E16"}, {"Gxx", "E16"},
		{"Z0,400005,1", "OK"}, {"Z0,400005,1", "OK"}, {"Z5,1,1", "E16"}, {"Z0", "E16"}, {"Z0,1", "E16"}, {"Z2,1,0", "E16"}, {"Z4,ffffffffffffffff,2", "E16"},
		{"z1,400005,1", "OK"}, {"z9,400005,1", "E16"}, {"Z1,400009,1;X1,22", "OK"},
		{"qRcmd,zz", "E16"}, {"vCont;", "E16"}, {"vCont;x", "E16"}, {"vCont;r1", "E16"}, {"vCont;s:9", "E16"},
		{"qXfer:features:read:target.xml:fffffff,10", "l"}, {"qXfer:features:read:target.xml:0,5", "m<?xml"}, {"qXfer:features:read:target.xml:x", "E16"},
	} {
		if got := c.ask(test.ask); got != test.want {
			t.Errorf("%q gives %q, want %q", test.ask, got, test.want)
		}
	}
	c.write("$X600000,3:\x01}\x03}\x5d#" + fmt.Sprintf("%02x", sum("X600000,3:\x01}\x03}\x5d"))) // 01 23 7d
	if got := c.read() + c.ask("m600000,3"); got != "OK01237d" {
		t.Errorf("binary write: %q", got)
	}
	if got := c.ask("vCont;C05"); got != "T05thread:1;swbreak:;" || f.regs[0].RIP != fakeCode+5 {
		t.Errorf("stop at a breakpoint: %q", got)
	}
	if got := c.ask("vCont;s:1;c"); got != "T05thread:1;" || f.regs[0].RIP != fakeCode+6 {
		t.Errorf("step: %q at %#x", got, f.regs[0].RIP)
	}
	if got := c.ask("vCont;r400006,400008:1;c"); got != "T05thread:1;" || f.regs[0].RIP != fakeCode+8 {
		t.Errorf("range step: %q at %#x", got, f.regs[0].RIP)
	}
	if got := c.ask("vCont;s:2"); got != "T05thread:2;" || f.regs[1].RIP != fakeCode+1 {
		t.Errorf("step of CPU 1: %q at %#x", got, f.regs[1].RIP)
	}
	if got := c.ask("vKill;1"); got != "OK" {
		t.Errorf("kill: %q", got)
	}
	wait()
}

func sum(s string) (v uint8) {
	for i := range len(s) {
		v += s[i]
	}
	return v
}

// The description is well-formed and names as many bytes as packet g has.
func TestDescription(t *testing.T) {
	var target struct {
		Features []struct {
			Name string `xml:"name,attr"`
			Regs []struct {
				Bits int `xml:"bitsize,attr"`
			} `xml:"reg"`
		} `xml:"feature"`
	}
	d := xml.NewDecoder(strings.NewReader(description()))
	d.Strict = true
	if err := d.Decode(&target); err != nil {
		t.Fatal(err)
	}
	bits := 0
	for _, f := range target.Features {
		for _, r := range f.Regs {
			bits += r.Bits
		}
	}
	if bits != 8*binary.Size(Registers{}) || len(target.Features) != len(features) {
		t.Errorf("%d features with %d bits; Registers has %d", len(target.Features), bits, 8*binary.Size(Registers{}))
	}
}

func TestOneAtATime(t *testing.T) {
	f := newFake(1)
	f.memory[fakeCode+0x30] = 0x90
	address, wait := debug(t, f)
	first := newClient(t, address)
	first.ask("?")
	second := newClient(t, address)
	if _, err := second.r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("a second gdb got %v", err)
	}
	// The first hangs up while the machine stands still, which goes on by itself, without the points.
	first.ask("Z0,400020,1")
	_ = first.Close()
	wait()
	if f.resumes[len(f.resumes)-1].How != Detached || len(f.points) != 0 {
		t.Errorf("it went on as %+v with points %v", f.resumes, f.points)
	}
}

// gdb's Ctrl-C stops a machine that runs; hanging up lets it go on.
func TestInterrupt(t *testing.T) {
	s := listen(t)
	f := newFake(1)
	c := newClient(t, s.Addr().String())
	c.write(frame("?"))
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !s.Pending() {
		t.Error("a new connection is not served")
	}
	c.write(frame("vCont;c"))
	if how := s.Serve(t.Context(), f, Stop{}); how.How != Continue {
		t.Fatalf("%+v", how)
	}
	if got := c.read(); got != "T05thread:1;" {
		t.Errorf("it stands with %q", got)
	}
	if s.Pending() {
		t.Error("pending for nothing")
	}
	await := func() {
		t.Helper()
		for !s.Pending() {
			select {
			case <-s.Arrived():
			case <-t.Context().Done():
				t.Fatal("nothing arrives")
			}
		}
	}
	c.write("\x03")
	await()
	c.write(frame("vCont;c"))
	s.Serve(t.Context(), f, Stop{Reason: Interrupt})
	if got := c.read(); got != "T02thread:1;" {
		t.Errorf("stopped with %q", got)
	}
	_ = c.Close()
	await()
	if how := s.Serve(t.Context(), f, Stop{}); how.How != Detached || s.Connected() || s.Pending() {
		t.Errorf("%+v", how)
	}
	// Another one may come.
	newClient(t, s.Addr().String()).write(frame("?"))
	await()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if how := s.Serve(ctx, f, Stop{}); how.How != Killed && how.How != Detached {
		t.Errorf("%+v", how)
	}
	_ = s.Close()
	if err := s.Wait(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("waiting for a client that does not come: %v", err)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for address, want := range map[string]string{
		":0": "127.0.0.1:", "localhost:0": ":", "[::1]:0": "[::1]:", "127.0.0.2:0": "127.0.0.2:",
		"0.0.0.0:0": "", "192.0.2.1:0": "", "[::]:0": "", "1234": "", "": "", "127.0.0.1:99999": "",
	} {
		s, err := Listen(address, false)
		if want == "" {
			if err == nil {
				t.Errorf("%q: listens on %v", address, s.Addr())
				_ = s.Close()
			}
			continue
		}
		if err != nil {
			if address == "[::1]:0" && errors.As(err, new(*net.OpError)) {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Errorf("%q: %v", address, err)
			continue
		}
		if !strings.Contains(s.Addr().String(), want) {
			t.Errorf("%q: listens on %v", address, s.Addr())
		}
		_ = s.Close()
	}
	s, err := Listen("0.0.0.0:0", true)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

// Whatever comes in, the server answers or hangs up, and the machine goes on.
func FuzzSession(f *testing.F) {
	for _, body := range []string{"qSupported:a", "g", "m400000,40", "Z0,400010,1", "vCont;c", "vCont;r400000,400010:1", "X600000,2:}\x03}", "P3=00", "H", "qRcmd,41", "\x03", "D"} {
		f.Add([]byte(frame(body) + "+" + frame("?") + "-" + frame("vCont;s") + "\x03"))
	}
	f.Add([]byte("$$#$#+-\x03$}#00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			s := &Server{arrived: make(chan struct{}, 1)}
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			go func() { _, _ = theirs.Write(in); _ = theirs.Close() }()
			s.hear(ours)
			fake := newFake(2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			for stop := (Stop{}); ; stop = (Stop{Reason: Trap, Text: "on"}) {
				how := s.Serve(ctx, fake, stop)
				if how.How == Detached || how.How == Killed {
					break
				}
				fake.step(how.CPU)
				synctest.Wait()
			}
			if ctx.Err() != nil {
				t.Error("the session does not end")
			}
			s.hangUp()
		})
	})
}
