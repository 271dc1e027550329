package device

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	quiet := func(bool) {}
	statetest.Complete(t, func() *UART { return newUART(quiet, nil) }, (*UART).carry, "irq", "transmit", "received", "input")
	statetest.Complete(t, func() *ring { return &ring{bytes: []byte{1, 2}, length: 1} }, (*ring).carry, "bytes")
	statetest.Complete(t, func() *RTC { return &RTC{} }, (*RTC).carry, "clock", "irq")
	statetest.Complete(t, func() *IOAPIC { return &IOAPIC{} }, (*IOAPIC).carry, "apics")
	statetest.Complete(t, func() *PIC { return &PIC{} }, (*PIC).carry, "intr", "chips.first")
	statetest.Complete(t, func() *FWCfg { return &FWCfg{} }, (*FWCfg).carry, "items", "memory")
	statetest.Complete(t, func() *HPET { return &HPET{} }, (*HPET).carry, "clock", "lines")
	statetest.Complete(t, func() *Flash { return &Flash{bytes: make([]byte, FlashBlock)} }, (*Flash).Carry)
	statetest.Complete(t, func() *Power { return &Power{} }, func(p *Power, s *state.Stream) { state.Array(s, p.control[:]) }, "clock", "powerOff")
	statetest.Complete(t, func() *PIT { return &PIT{} }, func(p *PIT, s *state.Stream) { state.Numbers(s, &p.nmiStatus.stored) })
	statetest.Complete(t, func() *SleepRegister { return &SleepRegister{} }, func(r *SleepRegister, s *state.Stream) { state.Numbers(s, &r.status) }, "powerOff")
	statetest.Complete(t, func() *ResetRegister { return &ResetRegister{} }, func(r *ResetRegister, s *state.Stream) { state.Numbers(s, &r.value) }, "reset")
}
