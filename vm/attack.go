package vm

import (
	"strings"

	"github.com/tacit-vm/tacit/host"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp"
	"github.com/tacit-vm/tacit/tdx"
)

// The hosts of the platforms: who serves the guest, honest or not. The second result tells what a host that cheats has
// done; nil where it is honest.
type (
	tdHost interface {
		tdx.Host
		Serve(host.Guest)
	}
	snpHost interface {
		snp.Host
		Serve(host.Guest)
	}
)

func (m *Machine) tdHost(honest *host.Host) (tdHost, func() *record.Attack, error) {
	if m.cfg.HostAttack == "" {
		return honest, nil, nil
	}
	a, err := host.ParseAttack(m.cfg.HostAttack)
	cheat := host.CheatTD(honest, m.memory, a)
	return cheat, cheat.Report, err
}

func (m *Machine) snpHost(honest *host.SNP) (snpHost, func() *record.Attack, error) {
	if m.cfg.HostAttack == "" {
		return honest, nil, nil
	}
	a, err := host.ParseAttack(m.cfg.HostAttack)
	cheat := host.CheatSNP(honest, m.memory, a)
	return cheat, cheat.Report, err
}

// accuse says in d what the host did to a guest that did not get over it. The guest is not to blame for pages that it
// had accepted.
func accuse(d *record.Diagnosis, a *record.Attack) {
	if a == nil || len(a.Steps) == 0 {
		return
	}
	var did []string
	hit := false
	for _, s := range a.Steps {
		did = append(did, s.String())
		hit = hit || d.GPA != nil && *d.GPA >= s.GPA && uint64(*d.GPA-s.GPA) < s.Bytes
	}
	d.Summary = strings.Join(did, "; ") + "; then: " + d.Summary
	if hit {
		d.Advice = "The host is to blame, as --host-attack " + a.Kind + " told it: it attacked this page after it had given it to the guest."
	}
}
