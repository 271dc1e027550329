package decode

import "testing"

// appearances counts in how many rows each opcode stands.
func appearances(t *testing.T, rows []opcodeRow) (n [256]int) {
	t.Helper()
	for i := range rows {
		r := &rows[i]
		if r.first > r.last || r.has&lock != 0 && r.has&modRM == 0 && r.first != 0x0F {
			t.Errorf("row %#x to %#x: %b", r.first, r.last, r.has)
		}
		for op := int(r.first); op <= int(r.last); op += int(max(r.step, 1)) {
			n[op]++
		}
	}
	return n
}

// Each opcode stands in one row, prefixes in none, and LOCK goes with a ModRM operand only.
func TestOneByteRows(t *testing.T) {
	for op, n := range appearances(t, oneByteRows) {
		prefix := op&^0x18 == 0x26 || op&0xF0 == 0x40 || op&^3 == 0x64 || op == 0xF0 || op == 0xF2 || op == 0xF3
		// In 64-bit mode these are undefined (SDM vol. 2, table A-2).
		undefined := op < 0x40 && op&7 >= 6 && op != 0x0F || op >= 0x60 && op <= 0x62 || op == 0x82 || op == 0x9A || op == 0xCE || op >= 0xD4 && op <= 0xD6 || op == 0xEA
		if n != 1 && !prefix && !undefined || n != 0 && (prefix || undefined) {
			t.Errorf("%#x stands in %d rows", op, n)
		}
	}
}

// No opcode of the two-byte map stands in two rows; and where it stands in one, in a table of instructions on XMM and MMX
// registers only if its row hands on what it does not know.
func TestTwoByteRows(t *testing.T) {
	handsOn := map[int]bool{0xB8: true, 0xC3: true}
	for op, n := range appearances(t, twoByteRows) {
		vector := false
		for _, in := range vectorMaps[1][op] {
			vector = vector || in != nil
		}
		if n > 1 || n == 1 && vector && !handsOn[op] {
			t.Errorf("0F %02x stands in %d rows, among the instructions on XMM registers: %v", op, n, vector)
		}
	}
}
