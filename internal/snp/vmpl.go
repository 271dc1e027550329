package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// permissions is what a privilege level may do with a page of the guest's: bits 11:8 of RMPADJUST's RDX, from bit 0 on
// (APM 15.36.7).
type permissions uint8

const (
	mayRead              permissions = abi.AdjustRead >> permissionsAt
	mayWrite             permissions = abi.AdjustWrite >> permissionsAt
	mayExecuteUser       permissions = abi.AdjustUser >> permissionsAt
	mayExecuteSupervisor permissions = abi.AdjustSupervisor >> permissionsAt

	permissionStates = 1 << 4
	permissionsAt    = 8 // in RDX
)

// levels has the permissions of VMPL1 to 3. VMPL0 may do anything with a page that it has validated, and nothing is kept
// of it. A page that is assigned gives the others nothing, so that a guest which never uses them takes no memory here,
// and one that treats large stretches alike takes little.
type levels [abi.VMPLs - 1]*pagestate.Map[permissions]

func newLevels() (l levels) {
	for i := range l {
		l[i] = pagestate.New[permissions]()
	}
	return l
}

// at returns what a level from 1 on may do with a page, by its number.
func (l *levels) at(vmpl uint8, page uint64) permissions { return l[vmpl-1].At(page) }

// set gives a level permissions for the pages in [first, end), and says whether they differ from what was there.
func (l *levels) set(vmpl uint8, first, end uint64, to permissions) (changed bool) {
	of := l[vmpl-1]
	if !of.Any(first, end, func(p permissions) bool { return p != to }) {
		return false
	}
	of.Update(first, end, func(permissions) permissions { return to })
	return true
}

// clear takes everything from all levels: what RMPUPDATE does to an entry.
func (l *levels) clear(first, end uint64) {
	for i := range l {
		l.set(uint8(i+1), first, end, 0)
	}
}

// allow says whether an access may be made with permissions p. Paging structures are read and written as data. To write without
// being allowed to read is no permission: the page can be neither written nor read (APM 15.36.7, after table 15-36).
func (p permissions) allow(a x86.Access) bool {
	need := mayRead
	switch {
	case a.Kind == x86.Fetch && a.User:
		need = mayExecuteUser
	case a.Kind == x86.Fetch:
		need = mayExecuteSupervisor
	case a.Kind.Writes():
		need = mayRead | mayWrite
	}
	return p&need == need
}

// resolveValidated answers for a private access to a page that is validated: the processor's privilege level decides, and
// whether it is a VMSA in use. What is refused is a nested page fault, for want of permission with bit 36 of its error code
// set (VMPL), and there is nothing that the host could do about it.
func (p *Platform) resolveValidated(c *x86.CPU, page uint64, s pageState, a x86.Access) (x86.Translation, *x86.Refusal) {
	if why, busy := p.inUse(page, s); busy && !external(a.Kind) {
		return p.violated(c, page, a, physical.Private, s.String(), why)
	}
	t := p.translation(physical.Private, page)
	if vmpl := p.vcpuOf(c).vmpl; vmpl > 0 {
		may := p.levels.at(vmpl, page/mem.PageSize)
		if !may.allow(a) {
			return p.violated(c, page, a, physical.Private, s.String(), fmt.Sprintf("VMPL%d has no permission for it", vmpl))
		}
		t.ReadOnly = may&mayWrite == 0
	}
	p.touch(physical.Private, page, s)
	return t, nil
}
