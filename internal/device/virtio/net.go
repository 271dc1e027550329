package virtio

import "fmt"

const (
	idNet      = 1 // 5.1
	featureMAC = 1 << 5

	netReceive  = 0 // the queues
	netTransmit = 1
)

type network struct {
	mac  [6]byte
	liar Liar // nil where there is none
}

// NewNet makes a network card with a link on which nobody speaks: what it sends goes nowhere, and nothing comes, but from a host
// that lies.
func NewNet(w Wiring, mac [6]byte) *Device {
	const ethernet = 0x020000
	return newDevice(w, &network{mac: mac, liar: w.Liar}, ethernet)
}

func (*network) id() uint16       { return idNet }
func (*network) queues() int      { return 2 }
func (*network) features() uint64 { return featureMAC }
func (n *network) config() []byte { return n.mac[:] }

func (n *network) takes(queue int) bool {
	return queue == netTransmit || n.liar != nil && n.liar.Speaks()
}

func (n *network) serve(d *Device, queue int, c *chain) {
	if queue == netTransmit {
		n.send(d, c)
	} else {
		n.receive(d, c)
	}
}

// send reads a packet, as a host does that sends it, and drops it: one from memory that is not the device's to read is refused.
func (*network) send(d *Device, c *chain) {
	buffer := make([]byte, min(c.out, piece))
	for c.out > 0 {
		p := buffer[:min(c.out, piece)]
		if err := c.read(p); err != nil {
			d.refused(fmt.Errorf("a packet: %w", err))
			return
		}
		d.traffic.Written += uint64(len(p))
	}
}

// receive brings a packet of a host that lies.
func (n *network) receive(d *Device, c *chain) {
	packet := n.liar.Packet()
	packet = packet[:min(uint64(len(packet)), c.in)]
	if err := c.write(packet); err != nil {
		d.refused(fmt.Errorf("a buffer for a packet: %w", err))
		return
	}
	d.traffic.Read += uint64(len(packet))
}
