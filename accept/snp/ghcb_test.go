package snp_test

import (
	"bytes"
	"testing"

	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/snp/abi"
)

func (p *platform) page() snp.GHCB { return snp.GHCB{Page: &p.ghcb, GPA: ghcbAt} }

// Fields are where the protocol has them, and each has its bit.
func TestGHCBFields(t *testing.T) {
	p := newPlatform(t)
	g := p.page()
	for _, at := range []int{
		abi.GHCBRAX, abi.GHCBRCX, abi.GHCBRDX, abi.GHCBRBX, abi.GHCBSWExitCode, abi.GHCBSWScratch, abi.GHCBXCR0, abi.GHCBXSS,
	} {
		clear(p.ghcb[:])
		g.Set(at, 0x1122_3344_5566_7788)
		var want [abi.GHCBSize]byte
		copy(want[at:], []byte{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11})
		want[0x3F0+at/8/8] = 1 << (at / 8 % 8)
		if p.ghcb != want || !g.Valid(at) || g.Valid(at+8) || g.Get(at) != 0x1122_3344_5566_7788 {
			t.Errorf("field %#x is not where it belongs", at)
		}
		if g.Clear(); g.Valid(at) || g.Get(at) != 0x1122_3344_5566_7788 {
			t.Errorf("field %#x is valid", at)
		}
	}
	clear(p.ghcb[:])
	if g.SetCPL(3); p.ghcb[0xCB] != 3 || !p.valid(0xC8) || bytes.Count(p.ghcb[:], []byte{0}) != abi.GHCBSize-2 {
		t.Error("the CPL is not where it belongs")
	}
	for i := range p.ghcb {
		p.ghcb[i] = 0xFF
	}
	g.Clear()
	if n := bytes.Count(p.ghcb[:], []byte{0}); n != 16 || p.ghcb[0x3F0] != 0 || p.ghcb[0x3FF] != 0 {
		t.Errorf("Clear wrote %d zeros", n)
	}
}

// Exits as the protocol has them, and what comes back. A register that is not marked as returned is not believed.
func TestExits(t *testing.T) {
	type field struct {
		at int
		v  uint64
	}
	var out struct {
		value uint64
		reply snp.Reply
	}
	for _, c := range []struct {
		name  string
		call  func(g snp.GHCB, x snp.Instructions)
		code  abi.ExitCode
		info1 uint64
		needs []field
		gives []field
		want  uint64
	}{
		{"in", func(g snp.GHCB, x snp.Instructions) {
			v, r := g.In(x, 0x3FD, 1)
			out.value, out.reply = uint64(v), r
		}, 0x7B, 0x3FD<<16 | 1<<9 | 1<<4 | 1, []field{{abi.GHCBRAX, 0}}, []field{{abi.GHCBRAX, 0xFFFF_FF60}}, 0x60},
		{"in, 4 bytes", func(g snp.GHCB, x snp.Instructions) {
			v, r := g.In(x, 0xCFC, 4)
			out.value, out.reply = uint64(v), r
		}, 0x7B, 0xCFC<<16 | 1<<9 | 1<<6 | 1, []field{{abi.GHCBRAX, 0}}, []field{{abi.GHCBRAX, 0xF_1234_5678}}, 0x1234_5678},
		{"out", func(g snp.GHCB, x snp.Instructions) {
			out.value, out.reply = 0, g.Out(x, 0x3F8, 2, 0x1_4142)
		}, 0x7B, 0x3F8<<16 | 1<<9 | 1<<5, []field{{abi.GHCBRAX, 0x4142}}, nil, 0},
		{"out, 1 byte", func(g snp.GHCB, x snp.Instructions) {
			out.value, out.reply = 0, g.Out(x, 0xFFFF, 1, 0x1_4142)
		}, 0x7B, 0xFFFF<<16 | 1<<9 | 1<<4, []field{{abi.GHCBRAX, 0x42}}, nil, 0},
		{"RDMSR", func(g snp.GHCB, x snp.Instructions) {
			out.value, out.reply = g.RDMSR(x, 0x1B)
		}, 0x7C, 0, []field{{abi.GHCBRCX, 0x1B}}, []field{{abi.GHCBRAX, 0xF_FEE0_0D00}, {abi.GHCBRDX, 1}}, 0x1_FEE0_0D00},
		{"WRMSR", func(g snp.GHCB, x snp.Instructions) {
			out.value, out.reply = 0, g.WRMSR(x, 0x1B, 0x1_FEE0_0D00)
		}, 0x7C, 1, []field{{abi.GHCBRCX, 0x1B}, {abi.GHCBRAX, 0xFEE0_0D00}, {abi.GHCBRDX, 1}}, nil, 0},
		{"CPUID", func(g snp.GHCB, x snp.Instructions) {
			v, r := g.CPUID(x, 0xD, 1, 3)
			out.value, out.reply = uint64(v[0])|uint64(v[1])<<8|uint64(v[2])<<16|uint64(v[3])<<24, r
		}, 0x72, 0, []field{{abi.GHCBRAX, 0xD}, {abi.GHCBRCX, 1}, {abi.GHCBXCR0, 3}},
			[]field{{abi.GHCBRAX, 1}, {abi.GHCBRBX, 2}, {abi.GHCBRCX, 3}, {abi.GHCBRDX, 1<<32 | 4}}, 0x0403_0201},
	} {
		for leftOut := -1; leftOut < len(c.gives); leftOut++ {
			p := newPlatform(t)
			for i := range p.ghcb {
				p.ghcb[i] = 0xA5 // what was there before
			}
			p.exit = func(p *platform, code abi.ExitCode) {
				if code != c.code || p.get(abi.GHCBSWExitInfo1) != c.info1 || p.get(abi.GHCBSWExitInfo2) != 0 {
					t.Errorf("%s: exit %v with %#x, %#x", c.name, code, p.get(abi.GHCBSWExitInfo1), p.get(abi.GHCBSWExitInfo2))
				}
				for _, f := range c.needs {
					if !p.valid(f.at) || p.get(f.at) != f.v {
						t.Errorf("%s: field %#x is %#x, valid %v", c.name, f.at, p.get(f.at), p.valid(f.at))
					}
				}
				if n := p.valids(); n != len(c.needs)+3 { // SW_EXITCODE and the two after it
					t.Errorf("%s: %d fields are valid", c.name, n)
				}
				p.reply(0, 0)
				for i, f := range c.gives {
					if p.put(f.at, f.v); i != leftOut {
						p.set(f.at, f.v)
					}
				}
			}
			c.call(p.page(), p)
			if p.exits != 1 || p.msr != ghcbAt {
				t.Errorf("%s: %d exits, with the GHCB at %#x", c.name, p.exits, p.msr)
			}
			if ok := leftOut < 0; ok != out.reply.OK() || ok && out.value != c.want {
				t.Errorf("%s without its result %d: %+v, %#x", c.name, leftOut, out.reply, out.value)
			}
		}
	}
}

func TestReplies(t *testing.T) {
	const valid, exception, hasCode = 1 << 31, 3 << 8, 1 << 11
	for _, c := range []struct {
		r      snp.Reply
		ok     bool
		vector uint8
		code   uint32
		raise  bool
	}{
		{r: snp.Reply{}, ok: true},
		{r: snp.Reply{Info1: 1 << 32}, ok: true}, // the upper half means nothing
		{r: snp.Reply{Missing: true}},
		{r: snp.Reply{Info1: 2, Info2: valid | exception | 13}},
		{r: snp.Reply{Info1: 3}},
		{r: snp.Reply{Info2: valid | exception | 13}, ok: true},
		{r: snp.Reply{Info1: 1, Info2: valid | exception | 13}, vector: 13, raise: true},
		{r: snp.Reply{Info1: 1, Info2: valid | exception | hasCode | 13 | 7<<32}, vector: 13, code: 7, raise: true},
		{r: snp.Reply{Info1: 1, Info2: valid | exception | 6 | 7<<32}, vector: 6, raise: true},
		{r: snp.Reply{Info1: 1, Info2: exception | 13}},
		{r: snp.Reply{Info1: 1, Info2: valid | 13}},
		{r: snp.Reply{Info1: 1, Info2: valid | 4<<8 | 13}},
		{r: snp.Reply{Info1: 1, Info2: valid | exception | 14}},
		{r: snp.Reply{Info1: 1, Info2: valid | exception | 29}},
	} {
		vector, code, raise := c.r.Exception()
		if c.r.OK() != c.ok || vector != c.vector || code != c.code || raise != c.raise {
			t.Errorf("%+v: OK %v, exception %d, %d, %v", c.r, c.r.OK(), vector, code, raise)
		}
	}
}
