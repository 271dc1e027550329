//go:build darwin

package codemem

// synchronize has nothing to do: the processor fetches what has been written (SDM vol. 3, 12.6).
func synchronize([]byte) {}
