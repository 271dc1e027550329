package negotiate

// sort puts the descriptors into ascending order, in place. Firmware's maps mostly are already.
func (m *Map) sort() {
	n := m.len()
	sorted := true
	for i := uint64(1); i < n && sorted; i++ {
		sorted = !m.less(i, i-1)
	}
	if sorted {
		return
	}
	// A heapsort: whatever order a hostile map has, it takes n log n steps.
	for root := n / 2; root > 0; root-- {
		m.sift(root-1, n)
	}
	for end := n - 1; end > 0; end-- {
		m.swap(0, end)
		m.sift(0, end)
	}
}

// sift makes a heap of the descriptors below root, of which all but root are in place.
func (m *Map) sift(root, n uint64) {
	for {
		child := 2*root + 1
		if child >= n {
			return
		}
		if child+1 < n && m.less(child, child+1) {
			child++
		}
		if !m.less(root, child) {
			return
		}
		m.swap(root, child)
		root = child
	}
}

func (m *Map) less(i, j uint64) bool { return m.at(i).PhysicalStart < m.at(j).PhysicalStart }

func (m *Map) swap(i, j uint64) {
	a, b := m.entry(i), m.entry(j)
	for k := range a {
		a[k], b[k] = b[k], a[k]
	}
}
