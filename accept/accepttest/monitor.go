package accepttest

import "sync"

// A Monitor is an [accept.Monitor] of package sync. It must be made by [NewMonitor].
type Monitor struct {
	sync.Mutex
	cond sync.Cond
}

// NewMonitor returns a monitor, unlocked.
func NewMonitor() *Monitor {
	m := &Monitor{}
	m.cond.L = &m.Mutex
	return m
}

// Wait waits for a Broadcast.
func (m *Monitor) Wait() { m.cond.Wait() }

// Broadcast makes all return who wait.
func (m *Monitor) Broadcast() { m.cond.Broadcast() }
