package inspect

import (
	"strings"
	"testing"
)

// Configurations are text that anybody may have written: reading them ends, and what they expand to stays short.
func FuzzConfigurations(f *testing.F) {
	f.Add([]byte("set a=b\nmenuentry 'x' {\nlinux /vmlinuz $a ${a}\n}\n"))
	f.Add([]byte("title x\nlinux /vmlinuz\noptions a b\noptions c\n"))
	f.Add([]byte("# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_A=y\nCONFIG_CMDLINE=\"x\"\n"))
	f.Add([]byte("sbat,1,x,x,1,x\ngrub,4,F,grub,2.06,x\ngrub.debian,5,Debian,grub2,2.06-13,x\n"))
	f.Add([]byte("# GRUB Environment Block\nkernelopts=root=x\n#####"))
	f.Add([]byte("6.12.117+deb13"))
	f.Add([]byte("set a=" + strings.Repeat("x", 100) + "\nset b=" + strings.Repeat("${a}", 50) +
		"\nlinux /v " + strings.Repeat("${b}", 50)))
	f.Fuzz(func(t *testing.T, b []byte) {
		longest := 8192 + 4096*len(b)
		for _, e := range parseGrub(b, parseGrubEnv(b)).entries {
			if len(e.options) > longest || len(e.kernel) > longest || e.line < 1 {
				t.Errorf("%d bytes became %d", len(b), len(e.options)+len(e.kernel))
			}
		}
		if e, ok := parseBLS(b); ok && e.kernel == "" {
			t.Error("an entry without a kernel")
		}
		if c, ok := parseConfig(b); ok {
			readConfig(c, Config, "")
		}
		readSBAT(b)
		for _, d := range defects {
			if r, ok := parseRelease(string(b)); ok {
				d.has(r)
			}
		}
		for c := range strings.Lines(string(b)) {
			if says, _ := (wholeLine{{Text: c}, {Text: c}}).lazy(); says != Unknown && !strings.Contains(c, "memory") {
				t.Errorf("%q says %s", c, says)
			}
		}
	})
}
