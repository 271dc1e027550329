package decode

import "testing"

// Each opcode stands in one row, prefixes in none, and LOCK goes with a ModRM operand only.
func TestOneByteRows(t *testing.T) {
	var rows [256]int
	for i := range oneByteRows {
		r := &oneByteRows[i]
		if r.first > r.last || r.has&lock != 0 && r.has&modRM == 0 && r.first != 0x0F {
			t.Errorf("row %#x to %#x: %+v", r.first, r.last, r.has)
		}
		for op := int(r.first); op <= int(r.last); op += int(max(r.step, 1)) {
			rows[op]++
		}
	}
	for op, n := range rows {
		prefix := op&^0x18 == 0x26 || op&0xF0 == 0x40 || op&^3 == 0x64 || op == 0xF0 || op == 0xF2 || op == 0xF3
		// In 64-bit mode these are undefined (SDM vol. 2, table A-2).
		undefined := op < 0x40 && op&7 >= 6 && op != 0x0F || op >= 0x60 && op <= 0x62 || op == 0x82 || op == 0x9A || op == 0xCE || op >= 0xD4 && op <= 0xD6 || op == 0xEA
		if n != 1 && !prefix && !undefined || n != 0 && (prefix || undefined) {
			t.Errorf("%#x stands in %d rows", op, n)
		}
	}
}
