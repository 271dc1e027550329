package decode

import "testing"

// No opcode stands twice in the tables.
func TestTables(t *testing.T) {
	for name, rows := range map[string][]vectorInsn{"0F": map0F, "0F38": map0F38, "0F3A": map0F3A} {
		type key struct {
			opcode uint8
			prefix mandatory
		}
		seen := map[key]bool{}
		for _, in := range rows {
			keys := []key{{in.opcode, in.prefix}}
			if in.prefix == both {
				keys = []key{{in.opcode, np}, {in.opcode, p66}}
			}
			for _, k := range keys {
				if seen[k] {
					t.Errorf("map %s: %02x with prefix %d stands twice", name, k.opcode, k.prefix)
				}
				seen[k] = true
			}
		}
	}
}
