package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// inspectStock gives the paths of the newest kernels of Debian 12 and 13 in kernels/, which scripts/test fetches.
func inspectStock(t *testing.T) (debian12, debian13 string) {
	t.Helper()
	newest := func(pattern string) string {
		found, err := filepath.Glob(filepath.Join("../../kernels", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no kernels/%s: run scripts/test, which fetches it", pattern)
		}
		return slices.Max(found)
	}
	return newest("linux-image-6.1.*-cloud-amd64_*"), newest("linux-image-6.12.*-cloud-amd64_*")
}

func TestInspectStatuses(t *testing.T) {
	debian12, debian13 := inspectStock(t)
	img, err := image.Open(t.Context(), debian13)
	if err != nil {
		t.Fatal(err)
	}
	header, err := image.ReadPE(bytes.NewReader(img.Data), int64(len(img.Data)))
	if err != nil {
		t.Fatal(err)
	}
	unreadable := slices.Clone(img.Data)
	unreadable[header.EntryPoint] = 0x06 // no instruction
	broken, missing := filepath.Join(t.TempDir(), "bzImage"), filepath.Join(t.TempDir(), "missing")
	if err := os.WriteFile(broken, unreadable, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{debian12, debian13}, 0, "firmware must accept all memory"},
		{[]string{"--require", "tdx,snp,negotiate", debian13}, 0, "leave memory unaccepted"},
		{[]string{"--require", "tdx,snp,negotiate,lazy,tdx-guest,snp-guest", debian13}, 0, "leave memory unaccepted"},
		{[]string{"--require", "snp-guest", debian12}, 0, ""},
		{[]string{"--require", "negotiate", debian12}, 3, "required negotiate: no"},
		{[]string{"--require", "tdx", debian13, debian12}, 3, "required tdx: no"},
		{[]string{"--require", "negotiate", broken}, 4, "required negotiate: unknown"},
		{[]string{"--require", "negotiate", broken, debian12}, 3, ""},
		{[]string{"--require", "tdx", missing}, 1, "no such file"},
		{[]string{"--require", "tdx", debian13, missing}, 1, "no such file"},
		{[]string{"--require", "sev", debian13}, 2, `"sev" is not a requirement: did you mean snp? There are tdx, snp`},
		{[]string{"--jobs", "0", debian13}, 2, "--jobs 0"},
		{[]string{"--tags", "alibaba", debian13}, 2, "gce, azure, openstack, aws"},
		{nil, 2, "at least one FILE"},
		{[]string{"--tags", "gce", debian12}, 0, "--guest-os-features=UEFI_COMPATIBLE,SEV_SNP_CAPABLE\n"},
		{[]string{"--tags", "gce", debian13}, 0, "--guest-os-features=UEFI_COMPATIBLE,SEV_SNP_CAPABLE,TDX_CAPABLE\n"},
		{[]string{"--tags", "azure", debian13}, 0, "SecurityType=ConfidentialVmSupported"},
		{[]string{"--tags", "openstack", debian12}, 0, "hw_mem_encryption_model=amd-sev-snp IMAGE\n  # on SEV-SNP only with firmware"},
		{[]string{"--tags", "openstack", debian13}, 0, "hw_firmware_stateless=true --property hw_video_model=none --property " +
			"hw_mem_encryption=true --property hw_mem_encryption_model=intel-tdx IMAGE\n"},
		{[]string{"--tags", "openstack", debian13}, 0, "# one or the other: an image has one model, so make two of it\n"},
		{[]string{"--tags", "aws", debian12}, 0, " --boot-mode uefi --root-device-name"},
		{[]string{"--tags", "gce", debian13}, 0, "gcloud compute images create IMAGE --source-uri=gs://BUCKET/DISK.tar.gz --guest-os-features="},
		{[]string{"--tags", "azure", debian13}, 0, "--publisher PUBLISHER --offer OFFER --sku SKU --os-type Linux --architecture x64 --hyper-v-generation V2 --features Sec"},
		{[]string{"--evidence", debian13}, 0, "calls LocateProtocol(c5a010fe-38a7-4531-8a4a-0500d2fd1649), then AllowUnacceptedMemory ["},
	} {
		status, stdout, stderr := tacit(context.Background(), &fake{}, append([]string{"inspect"}, c.args...)...)
		if status != c.want || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", c.args, status, c.want, c.says, stdout, stderr)
		}
	}
}

// A table row a kernel, in the order of the files, whichever is ready first; and what to do at the end.
func TestInspectTable(t *testing.T) {
	debian12, debian13 := inspectStock(t)
	_, stdout, _ := tacit(t.Context(), &fake{}, "inspect", "-j", "4", debian13, debian12, debian13)
	lines := strings.Split(strings.TrimRight(stdout, "\n"), "\n")
	if len(lines) < 4 || !strings.HasPrefix(lines[0], "KERNEL") {
		t.Fatal(stdout)
	}
	for i, want := range []string{"yes yes yes yes yes yes", "no no yes no no no", "yes yes yes yes yes yes"} {
		if words := strings.Fields(lines[i+1]); strings.Join(words[len(words)-6:], " ") != want {
			t.Errorf("row %d: %s, want %s", i, lines[i+1], want)
		}
	}
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, ".") {
		t.Errorf("it ends with %q", last)
	}
}

// The page has a word for every key.
func TestInspectJSON(t *testing.T) {
	debian12, debian13 := inspectStock(t)
	img, err := image.Open(t.Context(), debian12)
	if err != nil {
		t.Fatal(err)
	}
	dir := imagetest.Directory(t, imagetest.Files{
		"boot/vmlinuz-a": img.Data, "boot/grub/grub.cfg": []byte("menuentry 'A' {\n linux /boot/vmlinuz-a add_efi_memmap\n}\n"),
	})
	status, stdout, stderr := tacit(t.Context(), &fake{}, "inspect", "--json", "--require", "snp", dir, debian13, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/nonexistent")
	if status != statusError {
		t.Errorf("status %d: %s", status, stderr)
	}
	sum := sha256.Sum256(img.Data)
	var typed struct {
		Schema  string
		Tool    string
		Kernels []struct {
			inspect.Kernel
			Required map[string]string
		}
		Firmware []inspect.Firmware
		Files    []struct {
			File   string
			SHA256 string
			Tags   []inspect.Tagging
			Error  *string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &typed); err != nil {
		t.Fatal(err)
	}
	if typed.Schema != inspectSchema || len(typed.Kernels) != 2 || len(typed.Files) != 4 || typed.Files[3].Error == nil ||
		len(typed.Firmware) != 1 ||
		typed.Kernels[0].Required["snp"] != "no" || typed.Kernels[1].Required["snp"] != "yes" ||
		len(typed.Kernels[0].Boots) != 1 || len(typed.Kernels[0].Traps) != 0 { // what loses unaccepted memory is no trap for a kernel that cannot accept it
		t.Errorf("%+v", typed)
	}
	digest, err := fileDigest(t.Context(), debian13, nil)
	if err != nil || typed.Tool != versionText() || typed.Files[0].SHA256 != "" || typed.Files[1].SHA256 != digest || len(digest) != 64 ||
		typed.Kernels[0].SHA256 != hex.EncodeToString(sum[:]) || typed.Kernels[1].SHA256 == digest {
		t.Errorf("%v: tool %q, digests %q and %q", err, typed.Tool, typed.Files[1].SHA256, typed.Kernels[0].SHA256)
	}
	if tags := typed.Files[1].Tags; len(tags) != 5 || tags[0].Tags[2] != "TDX_CAPABLE" || len(typed.Files[2].Tags) != 0 {
		t.Errorf("tags: %+v", tags)
	}
	_, stdout2, _ := tacit(t.Context(), &fake{}, "inspect", "--json", "--digest=false", debian13)
	if strings.Contains(stdout2, digest) || !strings.Contains(stdout2, typed.Kernels[1].SHA256) {
		t.Error("without --digest the file has one, or the kernel none")
	}
	if strings.Contains(stdout, ": null") && !strings.Contains(stdout, `"error": null`) {
		t.Error("a list is null")
	}
	page, err := os.ReadFile("../../docs/inspect.md")
	if err != nil {
		t.Fatal(err)
	}
	var untyped any
	if err := json.Unmarshal([]byte(stdout), &untyped); err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(untyped) {
		if !strings.Contains(string(page), "`"+key+"`") && !strings.Contains(string(page), "."+key+"`") {
			t.Errorf("docs/inspect.md says nothing about %s", key)
		}
	}
}

func keysOf(v any) (keys []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, inside := range v {
			keys = append(append(keys, key), keysOf(inside)...)
		}
	case []any:
		for _, inside := range v {
			keys = append(keys, keysOf(inside)...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// An inspection that is interrupted says what it knows, and of which files it knows nothing.
func TestInspectInterrupted(t *testing.T) {
	_, debian13 := inspectStock(t)
	report, err := inspect.File(t.Context(), debian13, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results := []inspected{{file: debian13, report: report}, {file: "large", err: fmt.Errorf("large: %w", ctx.Err())}}
	for _, f := range []inspectFlags{{json: true}, {evidence: true}} {
		var out, stderr bytes.Buffer
		_, err := f.tell(ctx, results, nil, &out, &stderr)
		if !errors.Is(err, context.Canceled) || err.Error() != "cancelled, with 1 of 2 files inspected" || stderr.Len() > 0 {
			t.Errorf("%v, %q", err, &stderr)
		}
		if !strings.Contains(out.String(), "6.12.") || f.json != strings.Contains(out.String(), `"error": "cancelled"`) {
			t.Errorf("it wrote\n%s", &out)
		}
	}
	status, stdout, stderr := tacit(ctx, &fake{}, "inspect", "--json", debian13, debian13)
	if status != 130 || stderr != "tacit: cancelled, with 0 of 2 files inspected\n" || !strings.Contains(stdout, inspectSchema) {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

// Entries that start a kernel in the same way are told once.
func TestInspectWays(t *testing.T) {
	boot := func(loader string, stub inspect.Verdict, config string) inspect.Boot {
		return inspect.Boot{Loader: loader, Stub: stub, Why: "so", Config: config}
	}
	var got []string
	for _, w := range waysOf([]inspect.Boot{
		boot("GRUB", inspect.Yes, "a:1"), boot("GRUB", inspect.No, "a:2"), boot("GRUB", inspect.Yes, "a:3"),
		boot("", inspect.Unknown, "b:1"), boot("GRUB", inspect.Yes, "b:2"),
	}) {
		got = append(got, w.loader+"|"+w.String())
	}
	want := []string{
		"GRUB|a:1 and 2 more: EFI stub yes: so", "GRUB|a:2: EFI stub no: so",
		"no boot loader in the image|b:1: EFI stub unknown: so",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgressText(t *testing.T) {
	text := progressText(strings.Repeat("x", 100)+".qcow2", 123<<30, 456<<30, 99999, 99999)
	if n := len([]rune(text)); n > 79 || !strings.HasSuffix(strings.Split(text, ":")[0], ".qcow2") {
		t.Errorf("%d columns: %s", n, text)
	}
}
