package inspect

import (
	"bytes"
	"compress/gzip"
	"testing"
)

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
