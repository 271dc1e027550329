package gdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// A Server lets one gdb at a time debug a target. Wait, Pending, Serve and Exited are for the goroutine that runs the
// target; Close is for any.
type Server struct {
	listener net.Listener
	arrived  chan struct{} // something to look at: holds one token at most

	mu      sync.Mutex
	conn    *conn // nil while no gdb is connected
	callers map[net.Conn]bool
	closed  bool

	session
}

// Listen listens on a TCP address, "host:port", or, after "unix:", on a socket that it makes in the file system, for
// this user alone. Who connects may read and write the whole guest, so the host must be a loopback address, which it is
// when left out, unless anywhere allows all. A client that does not speak gdb's protocol is hung up on.
func Listen(address string, anywhere bool) (*Server, error) {
	l, err := bind(address, anywhere)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, arrived: make(chan struct{}, 1), callers: map[net.Conn]bool{}}
	go s.accept()
	return s, nil
}

func bind(address string, anywhere bool) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return bindUnix(path)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("gdb: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if !anywhere {
		if err := loopback(host); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("gdb: %w", err)
	}
	return l, nil
}

// bindUnix makes a socket in the file system. Only who may write to it can connect; no one is let in before its mode is
// set.
func bindUnix(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("gdb: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("gdb: %w", err), l.Close())
	}
	return l, nil
}

// loopback says why the host is not this one alone.
func loopback(host string) error {
	addresses, err := net.LookupIP(host)
	if err != nil {
		return fmt.Errorf("gdb: %w", err)
	}
	for _, ip := range addresses {
		if !ip.IsLoopback() {
			return fmt.Errorf("gdb: %s can be reached from other machines, and gdb asks for no password", host)
		}
	}
	return nil
}

// Addr returns the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close stops listening and hangs up.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake()
	if s.conn != nil {
		s.conn.hangUp()
		s.conn = nil
	}
	for c := range s.callers {
		_ = c.Close()
	}
	return s.listener.Close()
}

// A client has a little time to show that it is a gdb, and there may not be many at a time.
const (
	helloPatience = 3 * time.Second
	maxCallers    = 16
)

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return // closed, or the host has no more descriptors: then there is no debugging
		}
		s.mu.Lock()
		if s.conn != nil || s.closed || len(s.callers) >= maxCallers {
			_ = c.Close() // one gdb at a time
		} else {
			s.callers[c] = true
			go s.hear(c)
		}
		s.mu.Unlock()
	}
}

// hear takes a caller for the gdb, when he has sent a packet.
func (s *Server) hear(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(helloPatience)) // where this fails, reading does
	r := bufio.NewReader(c)
	first, err := readFirst(r)
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.callers, c)
	if err != nil || s.conn != nil || s.closed {
		_ = c.Close()
		return
	}
	s.conn = newConn(c, r, first, s.wake)
	s.wake()
}

// wake makes Pending true, and ends a wait.
func (s *Server) wake() {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Server) connection() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// hangUp ends the session.
func (s *Server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.hangUp()
		s.conn = nil
	}
	s.session = session{}
}

// Wait waits until a gdb is connected.
func (s *Server) Wait(ctx context.Context) error {
	for s.connection() == nil {
		if s.isClosed() {
			return net.ErrClosed
		}
		select {
		case <-s.arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Connected says whether a gdb is connected.
func (s *Server) Connected() bool { return s.connection() != nil }

// Arrived gives a token when Pending may have become true, for those who wait for other things as well.
func (s *Server) Arrived() <-chan struct{} { return s.arrived }

// Pending says whether the machine, which runs, should stop and call Serve: a gdb has connected, has asked it to stop,
// or is gone.
func (s *Server) Pending() bool {
	c := s.connection()
	return c != nil && (!s.greeted || c.pending())
}
