package main

import (
	"bufio"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing/fstest"
	"time"
)

// inDirectory runs f in a new directory, which is removed.
func inDirectory(f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "everyday")
	if err != nil {
		return err
	}
	return errors.Join(f(dir), os.RemoveAll(dir))
}

// said is an error without the names of directories.
func said(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s: %w", path.Op, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%s: %w", link.Op, link.Err)
	}
	return err
}

// files makes, changes and finds files in all the ways that package os has.
func files() error {
	return inDirectory(func(dir string) error {
		at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
		day := time.Date(2020, 2, 29, 1, 2, 3, 4000, time.UTC)
		err := errors.Join(os.MkdirAll(at("a/b/c"), 0o750), os.WriteFile(at("a/one"), []byte("one"), 0o640), os.WriteFile(at("a/b/two"), nil, 0o600),
			os.Chmod(at("a/one"), 0o4711), os.Chtimes(at("a/one"), day.Add(time.Hour), day), os.Symlink("a/one", at("link")), os.Symlink("nowhere", at("dangling")),
			os.Rename(at("a/b/two"), at("a/b/c/three")))
		if err != nil {
			return err
		}
		err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			within, _ := filepath.Rel(dir, name)
			if err == nil && !d.IsDir() {
				fmt.Println(filepath.ToSlash(within), info.Mode(), info.Size())
			}
			return err
		})
		if err != nil {
			return err
		}
		info, err := os.Stat(at("link"))
		if err != nil {
			return err
		}
		s := info.Sys().(*syscall.Stat_t)
		fmt.Println(info.ModTime().UTC(), time.Unix(s.Atim.Unix()).UTC(), s.Nlink, s.Uid == uint32(os.Getuid()))
		for _, err := range []error{
			os.Mkdir(at("a"), 0o755), os.Remove(at("a")), os.Rename(at("a"), at("a/b/d")), os.Chdir(at("a/one")), os.Truncate(at("a"), 0), os.Remove(at("none")),
			os.Chmod(at("none"), 0), os.Link(at("a"), at("x")), os.Symlink("", at("empty")), os.Rename(at("a/one"), at("a/b")), os.WriteFile(at("a/one/x"), nil, 0),
			os.Mkdir(at(strings.Repeat("n", 256)), 0o755), os.Mkdir(at("dangling")+"/", 0o755), os.Mkdir(at("a/one")+"/", 0o755), os.Symlink("x", at("new")+"/"),
			os.Rename(at("link")+"/", at("x")), os.Rename(at("a/one"), at("x")+"/"), syscall.Unlink(at("link") + "/"), syscall.Rmdir(at("link") + "/"), syscall.Unlink(at("a") + "/"),
		} {
			fmt.Println(said(err))
		}
		_, err = os.OpenFile(at("a/one"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		fmt.Println(said(err), os.IsExist(err))
		f, err := os.OpenFile(at("sparse"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte("end"), 5<<20)
		n, err2 := f.Seek(-3, 2)
		err3 := f.Truncate(5<<20 + 1)
		info, err4 := f.Stat()
		fmt.Println(n, info.Size(), errors.Join(err, err2, err3, err4, f.Sync(), f.Close()), f.Close() != nil)
		root, err := os.OpenRoot(dir)
		if err != nil {
			return err
		}
		defer root.Close()
		err = errors.Join(root.MkdirAll("r/s", 0o755), root.WriteFile("r/s/t", []byte("text"), 0o600), root.Chmod("r/s/t", 0o400), root.Rename("r/s/t", "r/u"))
		b, err2 := root.ReadFile("r/u")
		_, out := root.Open("../x")
		fmt.Printf("%s %v %v\n", b, errors.Join(err, err2), said(out))
		if err := os.CopyFS(at("copy"), os.DirFS(at("a"))); err != nil {
			return err
		}
		found, err := filepath.Glob(at("copy/*"))
		fmt.Println(len(found), err, fstest.TestFS(os.DirFS(at("copy")), "b/c/three", "one"))
		var deep []string
		for range 30 {
			deep = append(deep, strings.Repeat("d", 60))
		}
		long := filepath.Join(append([]string{dir}, deep...)...)
		return errors.Join(os.MkdirAll(long, 0o755), os.WriteFile(filepath.Join(long, "x"), []byte("x"), 0o600))
	})
}

// links gives a file several names, and takes them away in each order.
func links() error {
	return inDirectory(func(dir string) error {
		at := func(name string) string { return filepath.Join(dir, name) }
		count := func(name string) any {
			info, err := os.Stat(at(name))
			if err != nil {
				return said(err)
			}
			return info.Sys().(*syscall.Stat_t).Nlink
		}
		read := func(name string) string { b, err := os.ReadFile(at(name)); return fmt.Sprintf("%q %v", b, said(err)) }
		if err := os.WriteFile(at("one"), []byte("text"), 0o600); err != nil {
			return err
		}
		open, err := os.Open(at("one"))
		if err != nil {
			return err
		}
		err = errors.Join(os.Mkdir(at("d"), 0o755), os.Link(at("one"), at("two")), os.Link(at("two"), at("d/three")), os.Symlink("one", at("symbolic")))
		fmt.Println(err, count("one"), count("two"), count("d/three"), said(os.Link(at("one"), at("two"))), said(os.Link(at("none"), at("x"))))
		err = errors.Join(os.WriteFile(at("two"), []byte("changed"), 0), os.Remove(at("one")))
		fmt.Println(err, read("two"), read("one"), read("symbolic"), count("d/three"))
		err = errors.Join(os.Rename(at("d/three"), at("four")), os.Rename(at("two"), at("four")), os.Link(at("four"), at("one")))
		fmt.Println(err, read("symbolic"), count("two"), count("one"))
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			fmt.Print(e.Name(), " ", e.Type(), "; ")
		}
		a, err1 := os.Stat(at("one"))
		b, err2 := os.Stat(at("four"))
		fmt.Println(os.SameFile(a, b), errors.Join(err, err1, err2))
		err = errors.Join(os.Link(at("symbolic"), at("symbolic2")), os.Remove(at("one")), os.Remove(at("two")), os.Remove(at("four")))
		target, err2 := os.Readlink(at("symbolic2"))
		info, err3 := open.Stat()
		text := make([]byte, 10)
		n, err4 := open.Read(text)
		fmt.Printf("%v %s %d %q %v\n", errors.Join(err, err2, err3, err4), target, info.Sys().(*syscall.Stat_t).Nlink, text[:n], open.Close())
		// Names come and go, and what they stand for stays.
		for i := range 300 {
			name := at(fmt.Sprint("n", i))
			if err := errors.Join(os.WriteFile(name, []byte(fmt.Sprint(i)), 0o600), os.Link(name, name+"x"), os.Remove(name)); err != nil {
				return err
			}
		}
		sum := 0
		for i := range 300 {
			var v int
			if _, err := fmt.Sscanf(read(fmt.Sprint("n", i, "x")), "\"%d\"", &v); err != nil {
				return err
			}
			sum += v
		}
		fmt.Println(sum)
		return nil
	})
}

// locks takes locks on files, each by two who have opened it.
func locks() error {
	return inDirectory(func(dir string) error {
		name := filepath.Join(dir, "lock")
		a, err := os.Create(name)
		if err != nil {
			return err
		}
		defer a.Close()
		b, err := os.Open(name)
		if err != nil {
			return err
		}
		lock := func(f *os.File, how int) error { return syscall.Flock(int(f.Fd()), how) }
		const now = syscall.LOCK_NB
		fmt.Println(lock(a, syscall.LOCK_SH), lock(b, syscall.LOCK_SH|now), lock(a, syscall.LOCK_EX|now), lock(b, syscall.LOCK_UN), lock(a, syscall.LOCK_EX|now),
			lock(b, syscall.LOCK_SH|now), lock(b, 77))
		got, thread := make(chan error), make(chan int, 1)
		go func() {
			runtime.LockOSThread()
			thread <- syscall.Gettid()
			got <- lock(b, syscall.LOCK_EX)
		}()
		waiting := <-thread
		for range 3 { // the signal by which the runtime preempts does not end the wait
			select {
			case err := <-got:
				return fmt.Errorf("a second lock was granted: %w", err)
			case <-time.After(3 * time.Millisecond):
				if _, _, e := syscall.Syscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(waiting), uintptr(syscall.SIGURG)); e != 0 {
					return e
				}
			}
		}
		fmt.Println(lock(a, syscall.LOCK_UN), <-got, lock(a, syscall.LOCK_SH|now))
		fmt.Println(b.Close(), lock(a, syscall.LOCK_SH|now))
		whole := syscall.Flock_t{Type: syscall.F_WRLCK}
		err = syscall.FcntlFlock(a.Fd(), syscall.F_SETLK, &whole)
		asked := syscall.Flock_t{Type: syscall.F_RDLCK}
		err2 := syscall.FcntlFlock(a.Fd(), syscall.F_GETLK, &asked)
		fmt.Println(err, err2, asked.Type == syscall.F_UNLCK)
		return nil
	})
}

// ownFile reads the program's own executable, and what the system says of it.
func ownFile() error {
	name, err := os.Executable()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	fmt.Printf("%x\n", sha256.Sum256(b))
	f, err := elf.Open(name)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	fmt.Println(f.Section(".text").Size > 0, info.Path != "", f.Close())
	_, err = os.OpenFile(name, os.O_RDWR, 0)
	fmt.Println(errors.Is(err, syscall.ETXTBSY), errors.Is(os.Truncate(name, 5), syscall.ETXTBSY))
	words, err := os.ReadFile("/proc/self/cmdline")
	fmt.Println(strings.Count(string(words), "\x00") == len(os.Args), err)
	maps, err := os.ReadFile("/proc/self/maps")
	fmt.Println(strings.Contains(string(maps), name+"\n") && strings.Contains(string(maps), " r-xp "), err)
	for _, file := range []string{"/proc/meminfo", "/proc/self/status", "/proc/cpuinfo", "/proc/self/mountinfo", "/proc/mounts"} {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		fields := map[string]bool{}
		for s := bufio.NewScanner(f); s.Scan(); {
			before, _, _ := strings.Cut(s.Text(), ":")
			fields[strings.TrimSpace(before)] = true
		}
		fmt.Println(file, len(fields) > 0, fields["MemTotal"], fields["VmRSS"], fields["model name"], f.Close())
	}
	host, err := os.Hostname()
	again, err2 := os.ReadFile("/proc/sys/kernel/hostname")
	fmt.Println(host == strings.TrimSpace(string(again)), errors.Join(err, err2))
	var profile strings.Builder
	err = pprof.Lookup("heap").WriteTo(&profile, 0)
	fmt.Println(profile.Len() > 0, err)
	return nil
}

// input reads lines, numbers and the rest.
func input() error {
	r := bufio.NewReader(os.Stdin)
	line, err := r.ReadString('\n')
	var a, b int
	n, err2 := fmt.Fscanf(r, "%d %x\n", &a, &b)
	fmt.Printf("%q %v %d %d %d %v\n", line, err, n, a, b, err2)
	words := bufio.NewScanner(r)
	words.Split(bufio.ScanWords)
	for words.Scan() {
		fmt.Printf("%q ", words.Text())
	}
	fmt.Println(words.Err())
	return nil
}
