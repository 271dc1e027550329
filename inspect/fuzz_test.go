package inspect

import (
	"bytes"
	"compress/gzip"
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
			(commandLine{Text: c}).lazy()
		}
	})
}

func TestEmbeddedConfig(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_INTEL_TDX_GUEST=y\n# CONFIG_AMD_MEM_ENCRYPT is not set\n"))
	z.Close()
	c, ok := embeddedConfig([]byte("before IKCFG_ST" + packed.String() + "IKCFG_ED after"))
	if !ok || c.release != "6.12.1" || c.options["INTEL_TDX_GUEST"] != "y" {
		t.Errorf("%+v, %v", c, ok)
	}
	if found := readConfig(c, Embedded, "x"); found[guestTDX][0].Says != Yes || found[acceptsTDX][0].Says != No || found[guestSNP][0].Says != No {
		t.Errorf("%+v", found)
	}
	for _, broken := range []string{"", "IKCFG_ST", "IKCFG_STxIKCFG_ED", "IKCFG_ST" + packed.String()[:20] + "IKCFG_ED"} {
		if _, ok := embeddedConfig([]byte(broken)); ok {
			t.Errorf("%q has a configuration", broken)
		}
	}
}

func TestReleases(t *testing.T) {
	for text, want := range map[string]release{
		"6.12.9-cloud-amd64": {6, 12, 9}, "6.12": {6, 12, 0}, "7.3~rc7": {7, 3, 0}, "6.1.0-56": {6, 1, 0},
		"5.14.0-427.el9.x86_64": {5, 14, 0}, "6.8.0-31-generic": {6, 8, 0},
	} {
		if got, ok := parseRelease(text); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "6", "..", "99999999999999999999.1", "-6.1"} {
		if got, ok := parseRelease(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestDefects(t *testing.T) {
	for release, want := range map[release]string{
		{6, 1, 0}:   "",
		{6, 5, 0}:   "parallel-accept-lockup endless-reclaim accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 5, 9}:   "endless-reclaim accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 10, 7}:  "accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 12, 20}: "accept-before-watermarks accept-with-shared-ghcb accept-race table-not-reserved",
		{6, 12, 30}: "table-not-reserved",
		{6, 12, 75}: "", {7, 0, 0}: "", {7, 3, 4}: "",
	} {
		var got []string
		for _, d := range defects {
			if has, _ := d.has(release); has {
				got = append(got, d.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %q, want %q", release, got, want)
		}
	}
}

func TestTraps(t *testing.T) {
	for text, want := range map[string]int{"quiet add_efi_memmap": 1, "add_efi_memmap=0": 0, "xadd_efi_memmap": 0, "": 0} {
		if got := (commandLine{Text: text}).traps(); len(got) != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for text, want := range map[string]Verdict{
		"accept_memory=eager": No, "accept_memory=lazy": Yes, "accept_memory=eager accept_memory=lazy": Yes,
		"accept_memory": Unknown, "x accept_memory=eagerly": Unknown,
	} {
		if got := (commandLine{Text: text}).lazy(); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}
