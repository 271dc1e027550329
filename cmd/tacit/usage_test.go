package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/record"
)

// What is wrong is said in the words of the command, with what was probably meant.
func TestWrongWords(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"boot --platform TDX", "--platform TDX: did you mean tdx?"},
		{"boot --platform sev-snp", "--platform sev-snp: did you mean snp?"},
		{"boot --platform SEV", "did you mean snp?"},
		{"boot --platform intel-tdx", "did you mean tdx?"},
		{"boot --platform tdz", "did you mean tdx?"},
		{"boot --platform kvm", "--platform kvm: there are none, snp, tdx"},
		{"boot --firmware-policy Lasy", "did you mean lazy?"},
		{"boot --firmware-policy nego", "did you mean negotiate?"},
		{"boot --platform none --firmware f.fd --misalign", "--misalign is for tacit's own firmware, which --firmware replaces"},
		{"boot --platform none --firmware f.fd --reboots 2", "--reboots is for tacit's own firmware"},
		{"boot --platform none --firmware=", "--firmware is empty: give a FILE"},
		{"boot --host-page 4k", "did you mean 4K?"},
		{"boot --host-page 1G", "--host-page 1G: there are 2M, 4K"},
		{"boot --schedule fair", "--schedule fair: there are round-robin, random, adversarial"},
		{"boot --reboots -1", "--reboots -1 is negative"},
		{"boot --reboots 2 --events e", "--events is about one machine, and --reboots lets there be several"},
		{"boot --gop huge", "\"huge\" is no resolution: want width and height in pixels, such as 1024x768"},
		{"boot --gop 1x1", "a screen of 1x1 pixels: want 200 to 4096 each way"},
		{"boot --screenshot p.png", "--screenshot is of a screen: let the machine have one"},
		{"boot --gop 640x480 --screenshot -", "a picture is not for standard output"},
		{"boot --overlay -", "it is read, too, and has to be a file"},
		{"boot --cpus 256", "256 processors: want 1 to 255; APIC IDs above 254 need"},
		{"boot --cpus -1", "-1 processors: want 1 to 255"},
		{"boot --cpus 0", "--cpus 0: a machine has at least one processor"},
		{"boot --schedule-seed 7", "--schedule-seed 7 has no effect on round-robin: say --schedule random or adversarial"},
		{"boot --json=", "--json is empty: give a FILE"},
		{"boot --disk=", "--disk is empty: give a FILE"},
		{"bench --save= integer", "--save is empty: give a FILE"},
		{"certify --store= i", "--store is empty: give a DIR"},
		{"schema recrod", "recrod: did you mean record?"},
		{"boot --topology socket=2", "did you mean sockets?"},
		{"boot --topology sockets=0", "want sockets=N, with N from 1"},
		{"boot --topology cores=2,cores=3", "cores is given twice"},
		{"boot --cpus 5 --topology sockets=2", "5 processors, and the topology sockets=2,cores=2,threads=1,nodes=1 has 4"},
		{"boot --topology sockets=2,cores=3", "gaps between APIC IDs"},
		{"boot --host-attack sawp:2", "--host-attack sawp:2: did you mean swap?"},
		{"resume --host-attack drop:0 /nonesuch", "host attack drop:0: want a number from 1 after the colon"},
		{"boot --firmware-lie over-lap", "--firmware-lie over-lap: did you mean overlap?"},
		{"boot --plattform tdx", "tacit boot has no --plattform: did you mean --platform?"},
		{"boot --mem 4G", "tacit boot has no --mem: did you mean --memory?"},
		{"boot --xyzzy", "tacit boot has no --xyzzy: see tacit boot --help"},
		{"boot -z", "tacit boot has no -z"},
		{"boot -qz", "tacit boot has no -z"},
		{"boot ---x", "---x is not a flag: see tacit boot --help"},
		{"boot --json", "--json needs a value: --json FILE"},
		{"boot --memory 4X", `"4X" is not a size: give a number`},
		{"boot --memory 4gigs", "did you mean 4G?"},
		{"boot --memory 1,5G", "did you mean 1.5G?"},
		{"boot --memory 1.1G", "1.1G is 1181116006.4 bytes"},
		{"boot --memory lots", `--memory lots: "lots" is not a size: give a number with K, M, G or T`},
		{"boot --firmware-accepts edk2", "or ovmf"},
		{"boot --timeout 5", "--timeout 5: did you mean 5s? A time has a unit, such as 90s, 5m or 1h30m"},
		{"boot --timeout 5min", "did you mean 5m?"},
		{"boot --timeout 2days", "did you mean 48h?"},
		{"boot --timeout soon", "--timeout soon: a time has a unit"},
		{"boot --timeout -5s", "is negative"},
		{"boot --seed x", "--seed x: give a whole number"},
		{"boot --seed -1", "--seed -1: give a whole number"},
		{"boot --seed 99999999999999999999", "--seed 99999999999999999999: this is more than can be counted here"},
		{"boot --misalign=x", "--misalign x: it is true or false"},
		{"boot --cpu-blocks x", "--cpu-blocks x: give a whole number"},
		{"boot a b", "tacit boot takes one IMAGE, and here are 2: a, b"},
		{"symbols a b -o x", "tacit symbols takes one IMAGE, and here are 2: a, b"},
		{"attack", "tacit attack needs at least one IMAGE"},
		{"attack --attack vc-vmcall i", "--attack vc-vmcall: did you mean vc-vmmcall?"},
		{"attack --attack drop:0 i", "host attack drop:0: want a number from 1"},
		{"attack --platform none i", "--platform none: \"none\": there are snp, tdx, all"},
		{"attack --platform tdx --attack vc-vmmcall i", "attack vc-vmmcall is for platform snp, on which none is asked for"},
		{"attack --seeds 0 i", "--seeds: an attack is tried once, or more often"},
		{"attack --list i", "tacit attack takes no arguments, and there is i"},
		{"certify", "tacit certify needs at least one IMAGE"},
		{"certify --update i", "--update is for the table of --matrix"},
		{"certify --matrix m.yaml i", "--matrix m.yaml says what is booted, and there is i, too"},
		{"certify --matrix m.yaml --policy lazy", "--matrix m.yaml says what is booted: --policy is not for it"},
		{"certify --platform tdx,SNP i", `--platform tdx,SNP: "SNP": did you mean snp?`},
		{"certify --platform tdx, i", `"": there are none, snp, tdx`},
		{"certify --policy all i", `"all": there are negotiate, lazy, eager, upstream`},
		{"certify --timeout 5 i", "did you mean 5s?"},
		{"certify -j x i", "--jobs x: give a whole number"},
		{"compare --platform none", "platform none has nothing to compare: all of its memory is there from the start; there are"},
		{"compare --platform sgx", "--platform sgx: \"sgx\": there are none, snp, tdx"},
		{"compare --memory 1.1G", "1.1G is 1181116006.4 bytes"},
		{"compare --memory 0", "--memory is 0"},
		{"compare --memory 4G,4096M", "memory 4 GiB is there twice"},
		{"compare --memory 8T", "8 TiB of memory: want a multiple of 2 MiB"},
		{"compare --with eager", "--with eager: \"eager\": did you mean"},
		{"compare --with lazy,eager-kernel+host-page-4k", "did you mean host-page-4K?"},
		{"compare --with lazy+eager-firmware", "--with lazy+eager-firmware: lazy and eager-firmware exclude each other"},
		{"compare --with cpus=256", "--with cpus=256: cpus=256: 256 processors: want 1 to 255"},
		{"compare --with lazy+cpu=8", "did you mean cpus="},
		{"compare --with lazy,lazy", "variant lazy is there twice"},
		{"compare --base hasty", "base hasty is none of what is compared: there are lazy, eager-firmware, eager-kernel, demo.efi"},
		{"compare --fail-if fast", "--fail-if: \"fast\" is not a condition: give one such as init > 1.05x"},
		{"compare --fail-if init>2", "times as much as the base is written with an x: init > 2x"},
		{"compare --fail-if init>1x,inti>1x", "\"inti\" is nothing that is compared: there are init, end"},
		{"compare --with lazy --fail-if init>1x", "--fail-if needs something to hold against something"},
		{"compare --jobs -1", "--timeout and --jobs cannot be negative"},
		{"compare a a", "image a is there twice"},
		{"storm", "tacit storm needs at least one IMAGE"},
		{"storm --cpus 0 i", "--cpus: 0 processors"},
		{"storm --cpus 1,256 i", "--cpus: 256 processors: want 1 to 255"},
		{"storm --cpus many i", "--cpus many: give whole numbers"},
		{"storm --cpus 2,2 i", "variant lazy+host-page-4K+cpus=2 is there twice"},
		{"storm --host-page 1G i", "--host-page 1G: \"1G\": there are 2M, 4K"},
		{"storm --with laxy i", "--with laxy: \"laxy\": did you mean lazy?"},
		{"storm --with lazy+cpus=2 i", "--with: cpus=2 and cpus=1 exclude each other, and --host-page and --cpus say so of all"},
		{"storm --platform none i", "platform none has nothing to compare"},
		{"hunt --cpus 1 i", "one processor does everything in one order: want two or more"},
		{"hunt --cpus 0 i", "--cpus 0: a machine has at least one processor"},
		{"hunt --schedule round-robin i", "--schedule round-robin: there are random, adversarial"},
		{"hunt --seeds 0 i", "--seeds 0: want 1 to 1000000"},
		{"hunt --jobs -1 i", "--jobs cannot be negative"},
		{"hunt --schedule-seed 18446744073709551615 --seeds 2 i", "there are no seeds above 18446744073709551615"},
		{"hunt a b", "tacit hunt takes one IMAGE, and here are 2: a, b"},
		{"inspect", "tacit inspect needs at least one FILE"},
		{"inspect --tags google i", "--tags google: there are gce, azure, openstack"},
		{"scenario run", "tacit scenario run needs at least one NAME"},
		{"scenario run AMDSEV#20", "AMDSEV#20: did you mean AMDSEV#200?"},
		{"scenario run --all no-retry", "--all runs all scenarios: then none is named"},
		{"scenario run --long no-retry", "--long is for --all"},
		{"demo x", "tacit demo takes no arguments, and there is x"},
		{"demo --memory 4G --platfrom snp", "did you mean --platform?"},
		{"man x", "tacit man takes no arguments, and there is x"},
		{"version x", "tacit version takes no arguments, and there is x"},
		{"cost fit", "tacit cost fit takes one file of MEASUREMENTS, and here are 0"},
		{"cost fit --name tdx-estimate-1 x", "tdx-estimate-1 is the name of another model"},
		{"cost measure x", "tacit cost measure takes no arguments"},
		{"cost measure --host-page 1G", "--host-page 1G: there are 2M, 4K"},
		{"cost x", "tacit cost has no command x: there are check, "},
		{"cost shw", "tacit cost has no command shw: did you mean show?"},
		{"cost show", "tacit cost show needs at least one MODEL"},
		{"cost sensitivity a b c", "tacit cost sensitivity takes one RECORD, or two to divide, and here are 3"},
		{"cost sensitivity --until report a", "--until report: there are init, end"},
		{"boot --cost tdx-estimate-2", "--cost: no cost model \"tdx-estimate-2\": there are tdx-estimate-1, snp-estimate-1, plain-estimate-1, and no such file"},
		{"boot --cost /dev/null", "--cost: /dev/null: not a regular file"},
		{"boot --cost boot.go", "--cost: boot.go: line "},
		{"boot --platform snp --cost tdx-estimate-1", "tdx-estimate-1 is a cost model for platform tdx, and the guest runs on snp"},
		{"certify --platform snp --cost tdx-estimate-1 i", "tdx-estimate-1 is a cost model for platform tdx, on which no boot is asked for"},
		{"certify --cost tdx-estimate-1,tdx-estimate-1 i", "tdx-estimate-1 is a second cost model for platform tdx"},
		{"bench integr", "no workload integr: did you mean integer?"},
		{"bot", "tacit has no command bot: did you mean boot?"},
		{"run", "tacit has no command run: there are "},
		{"boot.go", "boot.go is a file and not a command: did you mean tacit boot boot.go?"},
		{"--nonesuch", "tacit has no --nonesuch: see tacit --help"},
		{"help bot", "tacit has no command bot: did you mean boot?"},
		{"help boot x", "tacit boot has no command x"},
		{"completion bsh", "tacit completion has no command bsh: did you mean bash?"},
	} {
		f := &fake{outcome: record.PowerOff}
		status, stdout, stderr := tacit(t.Context(), f, strings.Fields(c.args)...)
		if status != statusUsage || stdout != "" || !oneLine(stderr) || f.calls != 0 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, stdout %.100q, stderr %q, want %q", c.args, status, stdout, stderr, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"negotiate", "lazy", "eager", "upstream", "tdx", "snp", "none"}
	for text, want := range map[string]string{
		"Negotiate": "negotiate", "negociate": "negotiate", "laxy": "lazy", "alzy": "lazy", "up-stream": "upstream", "SEV_SNP": "snp", "sev": "snp",
		"ups": "upstream", "": "", "x": "", "kvm": "", "td": "tdx", "anything": "", "intel": "tdx", "amd": "snp", "plain": "none", "l": "",
	} {
		if got := nearest(text, words); got != want {
			t.Errorf("%q is near %q, want %q", text, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	_, want, _ := tacit(t.Context(), &fake{}, "version")
	for _, args := range [][]string{{"--version"}, {"-v"}} {
		if status, got, _ := tacit(t.Context(), &fake{}, args...); status != 0 || got != want || !oneLineOf(got, "tacit ") {
			t.Errorf("%q: status %d, %q, want %q", args, status, got, want)
		}
	}
}

func oneLineOf(text, prefix string) bool {
	return strings.HasPrefix(text, prefix) && strings.Count(text, "\n") == 1 && strings.HasSuffix(text, "\n")
}

// completions are what a shell would offer, and whether files, too.
func completions(t *testing.T, args ...string) (words []string, files bool) {
	t.Helper()
	status, stdout, _ := tacit(t.Context(), &fake{}, append([]string{"__complete"}, args...)...)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 0 || len(lines) == 0 {
		t.Fatalf("%q: status %d, %q", args, status, stdout)
	}
	for _, line := range lines[:len(lines)-1] {
		// The shell picks those that begin with what has been typed.
		if word, _, _ := strings.Cut(line, "\t"); strings.HasPrefix(word, args[len(args)-1]) {
			words = append(words, word)
		}
	}
	return words, lines[len(lines)-1] == ":0"
}

func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		args  string // the last word is being typed; _ is none
		want  string
		files bool
	}{
		{"_", "attack bench boot certify compare completion cost demo export guest help hunt inspect man results resume scenario schema status storm symbols version warm worker", false},
		{"boot _", "", true}, {"boot i _", "", false}, {"symbols _", "", true}, {"certify i _", "", true}, {"inspect i _", "", true},
		{"demo _", "", false}, {"version _", "", false}, {"bench boot-t", "boot-tdx", false},
		{"boot --platform _", "none snp tdx", false}, {"boot --platform t", "tdx", false}, {"boot --firmware-policy _", "negotiate lazy eager upstream", false},
		{"boot --host-page _", "2M 4K", false}, {"boot --topology _", "sockets= cores= threads= nodes=", false}, {"boot --schedule _", "round-robin random adversarial", false}, {"boot --firmware-accepts _", "ovmf", false},
		{"boot --host-attack s", "swap split stall surprise-ve stack", false}, {"attack --attack vc-vmmcall,cursor-b", "vc-vmmcall,cursor-back", false}, {"attack --platform _", "snp tdx all", false}, {"attack _", "", true}, {"boot --firmware-lie st", "stride stride-huge stale", false},
		{"boot --json _", "", true}, {"boot --initrd _", "", true}, {"boot --overlay _", "", true}, {"resume --disk _", "", true}, {"boot --memory _", "", false}, {"boot --timeout _", "", false},
		{"boot --trace-file _", "", true}, {"boot --cost _", "tdx-estimate-1 snp-estimate-1 plain-estimate-1", true},
		{"cost s", "sensitivity show", false}, {"cost fit --base td", "tdx-estimate-1", true}, {"cost measure --host-page _", "2M 4K", false}, {"cost show sn", "snp-estimate-1", true}, {"cost sensitivity --until _", "init end", false},
		{"cost sensitivity --cost pl", "plain-estimate-1", true}, {"cost check _", "", true}, {"certify --cost td", "tdx-estimate-1", true},
		{"boot --gdb _", "", false}, {"boot --save-at i", "init instruction:", false}, {"boot --save _", "", true}, {"resume _", "", true}, {"resume x _", "", false},
		{"certify --platform _", "none snp tdx", false}, {"certify --platform snp,", "snp,none snp,tdx", false},
		{"certify --require snp-", "snp-guest", false}, {"certify --policy lazy,e", "lazy,eager", false}, {"certify --junit _", "", true}, {"certify --memory _", "", false},
		{"compare _", "", true}, {"compare --with eager-f", "eager-firmware", false}, {"compare --with lazy,host-page-4", "lazy,host-page-4K", false},
		{"compare --platform snp,", "snp,none snp,tdx", false}, {"compare --resume _", "", true}, {"compare --html _", "", true}, {"compare --svg _", "", true},
		{"compare --cost sn", "snp-estimate-1", true}, {"storm --cost td", "tdx-estimate-1", true}, {"compare --base _", "lazy eager-firmware eager-kernel", true}, {"compare --memory _", "", false},
		{"storm _", "", true}, {"storm --with eager-k", "eager-kernel", false}, {"storm --host-page _", "2M 4K", false}, {"storm --cpus _", "", false}, {"storm --svg _", "", true},
		{"inspect --tags _", "gce azure openstack aws", false}, {"inspect --require tdx,n", "tdx,negotiate", false},
		{"demo --platform s", "snp", false}, {"demo --html _", "", true}, {"bench --kernel _", "", true}, {"bench --runs _", "", false},
		{"symbols -o _", "", true}, {"export -o _", "", true}, {"warm --rate _", "", false}, {"hunt --schedule _", "random adversarial", false}, {"hunt _", "", true}, {"hunt --json _", "", true}, {"help b", "bench boot", false}, {"guest r", "run", false}, {"scenario _", "list run", false}, {"scenario run AMD", "AMDSEV#200 AMDSEV#273", false}, {"scenario run --json _", "", true}, {"guest run --platform s", "snp", false}, {"guest build -o _", "", true}, {"guest run _", "", true},
		{"completion _", "bash fish powershell zsh", false},
	} {
		args := strings.Fields(c.args)
		if last := len(args) - 1; args[last] == "_" {
			args[last] = ""
		}
		if words, files := completions(t, args...); !slices.Equal(words, strings.Fields(c.want)) || files != c.files {
			t.Errorf("%s: %q, files %v; want %s", c.args, words, files, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if status, stdout, stderr := tacit(t.Context(), &fake{}, "completion", shell); status != 0 || !strings.Contains(stdout, "__complete") {
			t.Errorf("%s: status %d, %q", shell, status, stderr)
		}
	}
	if _, help, _ := tacit(t.Context(), &fake{}, "--help"); !strings.Contains(help, "tacit completion") {
		t.Error("--help does not mention completion")
	}
}

// The page has every command and every flag, and roff has nothing to say against it.
func TestMan(t *testing.T) {
	status, page, stderr := tacit(t.Context(), &fake{}, "man")
	if status != 0 || stderr != "" {
		t.Fatalf("status %d, %q", status, stderr)
	}
	_, again, _ := tacit(t.Context(), &fake{}, "man")
	if page != again {
		t.Error("it differs from time to time")
	}
	commands := []*cobra.Command{benchCommand(), bootCommand(nil, nil), certifyCommand(nil, nil), compareCommand(nil), stormCommand(nil), huntCommand(nil), costCommand(), demoCommand(nil), inspectCommand(nil), manCommand(), symbolsCommand(), versionCommand()}
	for _, sub := range costCommand().Commands() {
		if !strings.Contains(page, ".SH \"TACIT COST "+strings.ToUpper(sub.Name())+"\"\n") {
			t.Errorf("it has no cost %s", sub.Name())
		}
		commands = append(commands, sub)
	}
	for _, cmd := range commands {
		if !cmd.HasParent() && !strings.Contains(page, ".SH \"TACIT "+strings.ToUpper(cmd.Name())+"\"\n") {
			t.Errorf("it has no %s", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if strings.Contains(page, roff("--"+f.Name)+`\fR`) == f.Hidden {
				t.Errorf("%s --%s: hidden is %v", cmd.Name(), f.Name, f.Hidden)
			}
		})
	}
	for text, want := range map[string]string{".x\n'y\na\\n-": "\\&.x\n\\&'y\na\\en\\-", "plain": "plain"} {
		if got := roff(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("the page has not been shown to groff: ", err)
	}
	cmd := exec.Command(groff, "-k", "-man", "-Tutf8", "-ww", "-z")
	cmd.Stdin = strings.NewReader(page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
