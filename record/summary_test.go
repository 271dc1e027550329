package record

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
)

func aRecord() *Record {
	l := NewLog(nil)
	aBoot(l)
	r := l.Record()
	r.Image.Kernel, r.Platform, r.MemoryBytes, r.CostModel = "6.12.0-test", "tdx", 1*gib, "tdx-estimate-1"
	r.Outcome = PowerOff
	r.Acceptance.BitmapSetAtReport = new(uint64(762 * mib))
	r.Guest.MemInfo = &MemInfo{MemTotal: 980 * mib, Unaccepted: new(uint64(763 * mib))}
	var spent cost.Tally
	spent.Add(cost.Instruction, 50)
	spent.Add(cost.Exit, 2)
	r.Costs.Init = new(SpentOn(spent, cost.TDX()))
	spent.Add(cost.Instruction, 800)
	spent.Waited = 50
	spent.Contend(cost.TD, 70)
	r.Costs.Total = SpentOn(spent, cost.TDX())
	r.Costs.Contention = []Contention{{CPU: 3, Lock: "td", Charged: Charged{1, 70}}}
	r.Host = HostOf("translator", 2_500_000_000, 850, 600*mib)
	return r
}

func summary(t *testing.T, r *Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Each fact that the issue asks for is on the line on which a reader looks for it.
func TestSummarySays(t *testing.T) {
	text := summary(t, aRecord())
	t.Log("\n" + text)
	for _, want := range []string{
		`(?m)^firmware +262,148 KiB +129 +262,148 KiB +0 KiB +1\.008 µs  128 × 2M, 1 × 4K$`,
		`(?m)^EFI stub +8 KiB +2 +8 KiB +0 KiB +16 ns  2 × 4K$`,
		`(?m)^kernel +6,144 KiB +514 +4,096 KiB +2,048 KiB +4\.896 µs  2 × 2M, 512 × 4K$`,
		`(?m)^all +268,300 KiB +645 `,
		`(?m)^not accepted +782,324 KiB  at init \(74\.6 % of the memory\)$`,
		`(?m)^not accepted +780,276 KiB  at report .*by the guest's bitmap 762 MiB; by its meminfo 763 MiB$`,
		`(?m)^not accepted +761 MiB  at end`,
		`(?m)^added by host +6 MiB  2 × 2M, 512 × 4K$`,
		`(?m)^host exits +2  64 KiB made shared$`,
		`(?m)^virtual time +900 ns  init at 50 ns; 850 instructions; tdx-estimate-1$`,
		`(?m)^host time +2\.500 s  0\.0 MIPS; 600 MiB resident at most$`,
		`(?m)^machine +1 GiB  platform tdx; 6\.12\.0-test$`,
		`(?m)^outcome +poweroff$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no line matches %s", want)
		}
	}
}

// A run that ends before it begins has a summary too.
func TestSummaryOfAnEarlyEnd(t *testing.T) {
	r := NewLog(nil).Record()
	r.Outcome = Violation
	r.Diagnosis = &Diagnosis{
		Summary: "read of memory that is not accepted", GPA: new(Address(0x80000000)), GVA: new(Address(0xffff888080000000)),
		PageState: "pending", RIP: new(Address(0xffffffff81000010)), Symbol: "memcpy+0x10",
		Instruction: &Instruction{Bytes: "488b07", Text: "mov rax, [rdi]"}, Advice: "accept it first",
	}
	text := summary(t, r)
	for _, want := range []string{
		"init not reached", "not reached", "violation", "read of memory that is not accepted", "0x80000000",
		"0xffff888080000000", "pending", "0xffffffff81000010 in memcpy+0x10", "488b07  mov rax, [rdi]", "accept it first",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 7: "7 B", 1023: "1,023 B", 1024: "1 KiB", 1025: "1,025 B", 12 * kib: "12 KiB", 1536 * kib: "1.5 MiB",
		4 * gib: "4 GiB", 4*gib + 4*kib: "4,194,308 KiB", 2910 * mib: "2,910 MiB", 2560 * mib: "2.5 GiB", 1 << 50: "1,024 TiB",
		1<<64 - 1: "18,446,744,073,709,551,615 B",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("FormatBytes(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 ns", 999: "999 ns", 1_500: "1.500 µs", 53_100_000: "53.100 ms", 4_213_000_112: "4.213 s"} {
		if got := FormatNS(n); got != want {
			t.Errorf("FormatNS(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 2814333112: "2,814,333,112"} {
		if got := FormatCount(n); got != want {
			t.Errorf("FormatCount(%d) = %s, want %s", n, got, want)
		}
	}
}

// A guest that survives an attack that never happened has shown nothing.
func TestSummaryOfAnAttack(t *testing.T) {
	r := aRecord()
	r.Attack = &Attack{Kind: "drop", N: 9}
	if text := summary(t, r); !strings.Contains(text, "never happened: there was no opportunity 9") {
		t.Errorf("the summary does not say that nothing happened:\n%s", text)
	}
	r.Attack.Steps = []AttackStep{{What: "joined the small pages", GPA: 0x200000, Bytes: 2 << 20, Refused: "FAIL_OVERLAP"}}
	if text := summary(t, r); !strings.Contains(text, "the host joined the small pages (2 MiB at 0x200000), which was refused: FAIL_OVERLAP") {
		t.Errorf("the summary does not say what happened:\n%s", text)
	}
}
