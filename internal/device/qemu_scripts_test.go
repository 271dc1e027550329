package device

func recordUART(r *recorder) {
	in := func(register uint16) uint8 { return r.in(COM1Port + register) }
	out := func(register uint16, value uint8) { r.out(COM1Port+register, value) }
	loop := false
	for range 600 {
		switch r.IntN(10) {
		case 0:
			out(uartIER, r.byte()&^ierModemStatus)
			in(uartIER)
		case 1:
			in(uartIIR)
		case 2:
			// Changing the FIFO mode clears the transmitter: leave no interrupt of it behind.
			out(uartIER, 0)
			out(uartIIR, []uint8{0, fcrEnable, fcrEnable | fcrClearReceiver}[r.IntN(3)])
			out(uartIER, ierTransmitter)
			in(uartIIR)
			in(uartIIR)
		case 3:
			out(uartLCR, r.byte()&^lcrDLAB)
			in(uartLCR)
		case 4:
			out(uartLCR, r.byte()|lcrDLAB)
			out(uartData, r.byte())
			out(uartIER, r.byte())
			in(uartData)
			in(uartIER)
			out(uartLCR, 3)
		case 5:
			loop = r.IntN(4) > 0
			mcr := r.byte() &^ mcrLoopback
			if loop {
				mcr |= mcrLoopback
			}
			out(uartMCR, mcr)
			in(uartMCR)
		case 6:
			if !loop {
				// What changed in loopback mode shows as deltas here, in one of the two: read them away.
				r.discard(COM1Port + uartMSR)
				in(uartMSR)
			}
		case 7:
			for range r.IntN(20) {
				out(uartData, r.byte())
			}
		case 8:
			if in(uartLSR)&lsrDataReady != 0 {
				in(uartData)
			}
		case 9:
			out(uartScratch, r.byte())
			in(uartScratch)
		}
	}
}

func recordRTC(r *recorder) {
	in := func(cell uint8) uint8 {
		r.out(RTCPort, cell|r.byte()&rtcNMI)
		return r.in(RTCPort + 1)
	}
	out := func(cell, value uint8) {
		r.out(RTCPort, cell|r.byte()&rtcNMI)
		r.out(RTCPort+1, value)
	}
	time := []uint8{rtcSeconds, rtcMinutes, rtcHours, rtcDayOfMonth, rtcMonth, rtcYear, RTCCentury}
	all := func() {
		for _, cell := range time {
			in(cell)
		}
	}
	in(rtcDayOfWeek)
	for range 30 {
		// The mode must be chosen while the clock stands: see RTC.control.
		mode := r.byte() & (rtcB24Hours | rtcBBinary)
		all()
		out(rtcB, mode|rtcBSet)
		in(rtcB)
		form := func(n int) uint8 {
			if mode&rtcBBinary != 0 {
				return uint8(n)
			}
			return uint8(n/10<<4 | n%10)
		}
		hour := form(r.IntN(24))
		if mode&rtcB24Hours == 0 {
			hour = form(1+r.IntN(12)) | r.byte()&rtcPM
		}
		for _, c := range []struct{ cell, value uint8 }{
			{rtcSeconds, form(r.IntN(60))}, {rtcMinutes, form(r.IntN(60))}, {rtcHours, hour},
			{rtcDayOfMonth, form(1 + r.IntN(28))}, {rtcMonth, form(1 + r.IntN(12))}, {rtcYear, form(r.IntN(100))},
			{RTCCentury, form(20 + r.IntN(2))},
		} {
			out(c.cell, c.value)
			in(c.cell)
		}
		out(rtcB, mode)
		all()
		out(rtcB, mode^rtcBBinary)
		all()
		out(rtcB, mode^rtcB24Hours)
		all()
		for _, cell := range []uint8{rtcSecondsAlarm, rtcMinutesAlarm, rtcHoursAlarm, 0x0F, 0x40, 0x7F} {
			out(cell, r.byte())
			in(cell)
		}
		out(rtcD, r.byte())
		in(rtcD)
		in(rtcC)
	}
}

func recordIOAPIC(r *recorder) {
	in := func(register uint8) {
		r.write(IOAPICBase, uint32(register))
		r.read(IOAPICBase + ioapicData)
	}
	out := func(register uint8, value uint32) {
		r.write(IOAPICBase, uint32(register))
		r.write(IOAPICBase+ioapicData, value)
	}
	in(ioapicRegVersion)
	in(ioapicRegID)
	for register := uint8(ioapicRegTable); register < ioapicRegTable+2*IOAPICPins; register++ {
		in(register)
	}
	// COM1's pin is always level-triggered: switched from edge, QEMU does not know its line's level.
	out(ioapicRegTable+2*COM1IRQ, redirLevel|redirMask)
	r.out(COM1Port+uartMCR, mcrOut2)
	const vectors = 4 // few, so that an EOI hits
	for range 600 {
		switch r.IntN(6) {
		case 0:
			pin, entry := uint8(r.IntN(IOAPICPins)), uint32(0x40+r.IntN(vectors))|
				r.Uint32()&(deliveryLowestPriority<<redirModeShift|redirLogical|redirPolarity|redirLevel|redirMask)
			if pin == COM1IRQ {
				entry |= redirLevel
			}
			out(ioapicRegTable+2*pin+1, r.Uint32()&0xFF000000)
			out(ioapicRegTable+2*pin, entry)
		case 1:
			in(ioapicRegTable + uint8(r.IntN(2*IOAPICPins)))
		case 2: // COM1's line rises
			r.out(COM1Port+uartIER, 0)
			r.out(COM1Port+uartIER, ierTransmitter)
			in(ioapicRegTable + 2*COM1IRQ)
		case 3: // and falls
			r.in(COM1Port + uartIIR)
			in(ioapicRegTable + 2*COM1IRQ)
		case 4:
			r.write(IOAPICBase+ioapicEOI, uint32(0x40+r.IntN(vectors)))
			in(ioapicRegTable + 2*COM1IRQ)
		case 5:
			out(ioapicRegTable+2*COM1IRQ, uint32(0x40+r.IntN(vectors))|redirLevel|r.Uint32()&redirMask)
			in(ioapicRegTable + 2*COM1IRQ)
			out(ioapicRegID, r.Uint32())
			in(ioapicRegID)
			in(ioapicRegArbitration)
		}
	}
}

// recordHPET writes registers and reads what is left of it, with the counter running and standing.
func recordHPET(r *recorder) {
	in := func(offset uint64) { r.read(HPETBase + offset) }
	out := func(offset uint64, value uint32) { r.write(HPETBase+offset, value) }
	in(hpetID)
	in(hpetID + 4)
	for range 100 {
		out(hpetConfig, uint32(r.IntN(2))*hpetLegacy)
		in(hpetConfig)
		counter, high := uint32(r.IntN(1<<20)), r.Uint32()&0xFFFF
		out(hpetCounter, counter)
		out(hpetCounter+4, high)
		in(hpetCounter)
		in(hpetCounter + 4)
		for n := range uint64(HPETTimers) {
			config, comparator := hpetTimer0+n*hpetStride+hpetTimerConfig, hpetTimer0+n*hpetStride+hpetTimerComparator
			mode := r.Uint32()&(hpetLevel|hpetInterrupts|hpetPeriodic|hpetSetValue|hpet32) | uint32(hpetFirstPin+r.IntN(hpetPins))<<hpetRouteShift
			out(config, hpetFirstPin<<hpetRouteShift)
			in(config)
			out(config, mode)
			in(config)
			out(comparator, counter+1+uint32(r.IntN(1<<20)))
			in(comparator)
			if mode&hpet32 == 0 {
				out(comparator+4, high+1)
			}
			in(config)
			in(comparator)
			in(comparator + 4)
		}
		out(hpetConfig, hpetEnable)
		in(hpetConfig)
		in(hpetCounter)
		in(hpetCounter + 4)
		in(hpetStatus)
		out(hpetStatus, r.Uint32())
		in(hpetStatus)
		in(hpetID)
	}
}
