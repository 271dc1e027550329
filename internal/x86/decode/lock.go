package decode

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// lockedBytes is how much memory an operation locks that is a locked instruction's access: a load of what will be stored, or
// all of it.
var lockedBytes = map[uop.Op]uint32{uop.LoadW8: 1, uop.LoadW16: 2, uop.LoadW32: 4, uop.LoadW64: 8, uop.Cmpxchg8b: 8, uop.Cmpxchg16b: 16}

// showLocked puts uop.LockedAt in front of the access of a locked instruction, whose micro-operations begin at first.
func (d *decoder) showLocked(first int) {
	for i := first; i < len(d.uops); i++ {
		if n := lockedBytes[d.uops[i].Op]; n > 0 {
			at := d.uops[i]
			d.uops = slices.Insert(d.uops, i, uop.Uop{Op: uop.LockedAt, Aux: n, Base: at.Base, Index: at.Index, Scale: at.Scale, Seg: at.Seg, Disp: at.Disp})
			return
		}
	}
}
