package main

import (
	"context"
	"errors"
	"time"
)

// virtualLimit is a limit of virtual time, as a flag. Without it the limit is the machine's own, which no sane boot
// reaches.
type virtualLimit struct {
	d   time.Duration
	set bool
}

func (v *virtualLimit) String() string {
	if !v.set {
		return ""
	}
	return v.d.String()
}

func (v *virtualLimit) Set(text string) error {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("give a time with its unit, such as 90s or 5m")
	case d < 0:
		return errors.New("it is negative")
	}
	v.d, v.set = d, true
	return nil
}

func (*virtualLimit) Type() string { return "TIME" }

// config is the limit as vm.Config has it: 0 is the machine's own, and negative is none.
func (v *virtualLimit) config() time.Duration {
	if v.set && v.d == 0 {
		return -1
	}
	return v.d
}

// errTimeout ends a command whose --timeout was over before there was a machine to end.
var errTimeout = errors.New("--timeout was over before everything was read that is needed to start")

// within is a context for what has to be done within --timeout, which counts from the beginning, not from when the machine
// starts.
func (s *settings) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.maxWall == 0 {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, s.since.Add(s.maxWall))
}
