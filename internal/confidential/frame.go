package confidential

// A Frame is a number by which a host knows a frame of its memory, where the architecture leaves it to the host which
// frame an address of the guest's leads to. There is none with number NoFrame.
type Frame uint32

// NoFrame is where an address leads to no frame.
const NoFrame Frame = 0
