//go:build !(linux && amd64)

package oracle

import (
	"fmt"
	"runtime"
)

// Silicon runs cases on the host's processor, which this one cannot.
type Silicon struct{}

// NewSilicon says that this host has no silicon to ask.
func NewSilicon() (*Silicon, error) {
	return nil, fmt.Errorf("the silicon oracle needs linux/amd64; this is %s/%s", runtime.GOOS, runtime.GOARCH)
}

// SegmentBases is of no account without silicon.
func SegmentBases() bool { return false }

func hostVendor() string { return "" }

func hostCPUID(leaf, subleaf uint32) [4]uint32 { return [4]uint32{} }

// Close does nothing.
func (*Silicon) Close() error { return nil }

// Run is never reached.
func (*Silicon) Run([]*Case, []Outcome) error { panic("no silicon") }
