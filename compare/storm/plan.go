package storm

import (
	"fmt"

	"github.com/tacit-vm/tacit/compare/study"
)

// Variants combines ways to accept, the host's pages ("4K", "2M") and numbers of processors, each with all others. The ways
// are words of package study, such as lazy and eager-kernel.
func Variants(ways, pages []string, cpus []int) (all []study.Variant, err error) {
	for _, way := range ways {
		for _, page := range pages {
			for _, n := range cpus {
				v, err := study.ParseVariant(way + "+host-page-" + page + suffix(n))
				if err != nil {
					return nil, err
				}
				all = append(all, v)
			}
		}
	}
	return all, nil
}

// suffix is how the name of a variant ends that has so many processors.
func suffix(cpus int) string { return fmt.Sprintf("+cpus=%d", cpus) }
