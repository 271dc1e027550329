package gdb

import (
	"slices"
	"strings"
)

// maxPoints bounds how many points a gdb may set. It sets one a breakpoint, and one for each 8 bytes it watches.
const maxPoints = 1024

// point reads "kind,address,length", after which conditions may follow, which are gdb's own business.
func (r *request) point() (p Point, ok bool) {
	kind, where, found := strings.Cut(r.args, ",")
	if !found || len(kind) != 1 || kind[0] < '0' || kind[0] >= '0'+byte(pointKinds) {
		return p, false
	}
	r.args, _, _ = strings.Cut(where, ";")
	p.Kind = PointKind(kind[0] - '0')
	p.Address, p.Length, ok = r.two(",")
	if p.Kind >= WriteWatch && (p.Length == 0 || p.Address+p.Length < p.Address) {
		return p, false
	}
	return p, ok
}

// insert is Z, remove is z. Either may come twice, and means the same as once.
func (r *request) insert() string {
	p, ok := r.point()
	if !ok || len(r.s.points) >= maxPoints {
		return replyInvalid
	}
	if slices.Contains(r.s.points, p) {
		return replyOK
	}
	return r.setPoints(append(slices.Clone(r.s.points), p))
}

func (r *request) remove() string {
	p, ok := r.point()
	if !ok {
		return replyInvalid
	}
	return r.setPoints(slices.DeleteFunc(slices.Clone(r.s.points), func(q Point) bool { return p == q }))
}

func (r *request) setPoints(points []Point) string {
	if r.t.SetPoints(points) != nil {
		return replyInvalid
	}
	r.s.points = points
	return replyOK
}
