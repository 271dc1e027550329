package perfetto

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tacit-vm/tacit/record"
)

// Numbers of fields, by message.
const (
	tracePacket = 1 // Trace

	packetTimestamp = 8 // TracePacket
	packetSequence  = 10
	packetEvent     = 11
	packetInterned  = 12
	packetFlags     = 13
	packetTrack     = 60
	packetFirst     = 87

	eventAnnotation = 4 // TrackEvent
	eventType       = 9
	eventTrack      = 11
	eventName       = 23
	eventCounter    = 30

	trackNumber   = 1 // TrackDescriptor
	trackName     = 2
	trackProcess  = 3
	trackThread   = 4
	trackParent   = 5
	trackCounter  = 8
	trackOrdering = 11
	trackRank     = 12

	processPID    = 1 // ProcessDescriptor
	processLine   = 2
	processName   = 6
	processLabels = 8

	threadPID  = 1 // ThreadDescriptor
	threadTID  = 2
	threadName = 5

	counterUnit = 3 // CounterDescriptor

	annotationNumber     = 3 // DebugAnnotation
	annotationText       = 6
	annotationAddress    = 7
	annotationName       = 10
	annotationList       = 12
	annotationTextNumber = 17

	internedValues = 29 // InternedData: strings of DebugAnnotations
	stringNumber   = 1  // InternedString
	stringText     = 2
)

// Values.
const (
	flagCleared    = 1 // TracePacket.SequenceFlags: this packet refers to nothing before it
	flagNeedsState = 2 // … and this one may

	typeBegin   = 1 // TrackEvent.Type
	typeEnd     = 2
	typeInstant = 3
	typeCounter = 4

	unitCount = 2 // CounterDescriptor.Unit
	unitBytes = 3

	orderingExplicit = 3 // TrackDescriptor.ChildTracksOrdering
)

// A message is an encoded message, or some of its fields. Methods return it with one more.
type message []byte

func (m message) number(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

// text adds a string, which may come from a guest, as far as it can be printed.
func (m message) text(field protowire.Number, s string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), record.Printable(s))
}

func (m message) message(field protowire.Number, sub message) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), sub)
}
