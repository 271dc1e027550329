package trial

import (
	"time"

	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// For those who boot each guest by itself, from power-on, instead of copies of one that runs.

// Attacked makes of a boot the same one under an attack, as [Config.Attacks] has it. Control is the record of the boot with an
// honest host, which has to have come to its end.
func Attacked(c *vm.Config, text string, control *record.Record) error {
	k, a, err := asked(text)
	if err != nil {
		return err
	}
	if k.Lie != "" {
		c.FirmwareLie = k.Lie
	} else {
		c.HostAttack = moved(a, control.VirtualNS.Init != nil, control).String()
	}
	c.MaxInstructions, c.MaxVirtual = longest(k, control)
	return nil
}

// Judge says what the record of a boot under attack shows, beside that with an honest host.
func Judge(text string, control, attacked *record.Record) (Verdict, string, error) {
	k, _, err := asked(text)
	if err != nil {
		return Unjudged, err.Error(), err
	}
	verdict, why := judge(k, control, attacked)
	return verdict, why, nil
}

// longest is how long a guest under attack may take: half as long again as with an honest host, and then some, and what it may
// wait. One that waits in a loop is not let wait for all of that: it would take as many instructions.
func longest(k attack.Kind, control *record.Record) (instructions uint64, virtual time.Duration) {
	const (
		more   = 500_000_000 // instructions, and virtual nanoseconds
		looped = 1_500_000_000
	)
	instructions = control.Instructions*3/2 + more + min(uint64(k.Patience), looped)
	return instructions, time.Duration(control.VirtualNS.Total*3/2+more) + k.Patience
}

// moved is an attack as it comes to a guest: one that never comes to user mode is attacked half way to its end instead.
func moved(a attack.Attack, init bool, control *record.Record) attack.Attack {
	if a.At.Name == attack.Init && !init {
		a.At = attack.Moment{Value: control.Instructions / 2}
	}
	return a
}
