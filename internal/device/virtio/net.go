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

// serve drops a packet, in which the guest's memory is not looked at, or brings one.
func (n *network) serve(d *Device, queue int, c *chain) {
	if queue == netTransmit {
		d.traffic.Written += c.out
		c.moved += c.out
		return
	}
	packet := n.liar.Packet()
	packet = packet[:min(uint64(len(packet)), c.in)]
	if err := c.write(packet); err != nil {
		d.refused(fmt.Errorf("a buffer for a packet: %w", err))
		return
	}
	d.traffic.Read += uint64(len(packet))
}
