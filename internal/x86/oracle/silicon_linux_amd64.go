package oracle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// Silicon runs cases on the host's processor, in a child process of its own. One goroutine uses it at a time.
type Silicon struct {
	shared  []byte // also the child's
	file    *os.File
	program *os.File

	child    *exec.Cmd
	commands *os.File // 8 bytes start a batch
	answers  *os.File // 8 bytes say that it is over

	patience time.Duration // after which the child is taken to be stuck; a batch takes about a millisecond
}

// NewSilicon starts a child process.
func NewSilicon() (s *Silicon, err error) {
	s = &Silicon{patience: 10 * time.Second}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	if s.program, err = memoryFile("oracle-runner", executable()); err != nil {
		return s, err
	}
	if s.file, err = memoryFile("oracle-shared", make([]byte, sharedSize)); err != nil {
		return s, err
	}
	if s.shared, err = unix.Mmap(int(s.file.Fd()), 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return s, fmt.Errorf("shared memory: %w", err)
	}
	if err = s.start(); err != nil {
		return s, err
	}
	// An INT3 by itself, to know that the child runs.
	probe := []Outcome{{}}
	if err = s.run([]*Case{{In: State{RIP: codeBase, Flags: flag1 | flagIF, MXCSR: 0x1F80, X87: X87{FCW: 0x37F}}}}, probe); err != nil {
		return s, fmt.Errorf("the oracle's child process: %w", err)
	}
	if probe[0].Vector != vectorBP {
		return s, fmt.Errorf("the oracle's child process: INT3 ended with %s", probe[0].exception())
	}
	return s, nil
}

// memoryFile returns a file without a name that holds data.
func memoryFile(name string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC) // before Linux 6.3 all were executable
	}
	if err != nil {
		return nil, fmt.Errorf("memfd_create %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.WriteAt(data, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}

func (s *Silicon) start() error {
	clear(s.shared[:sharedArena])
	for i := range (codePages + 1) * pageSize {
		s.shared[sharedCode+i] = 0xCC
	}
	if SegmentBases() {
		binary.LittleEndian.PutUint64(s.shared[sharedSegmentBases:], 1)
	}
	in, commands, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	answers, out, err := os.Pipe()
	if err != nil {
		commands.Close()
		return err
	}
	defer out.Close()
	s.commands, s.answers = commands, answers
	s.child = exec.Command(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.program.Fd()))
	s.child.Stdin, s.child.Stdout = in, out
	s.child.ExtraFiles = []*os.File{s.file} // becomes sharedFile
	if err := s.child.Start(); err != nil {
		s.child = nil
		return fmt.Errorf("start the child: %w", err)
	}
	return nil
}

// stop ends the child and says how it ended if it did so by itself.
func (s *Silicon) stop() error {
	if s.commands != nil {
		s.commands.Close()
		s.answers.Close()
		s.commands, s.answers = nil, nil
	}
	if s.child == nil {
		return nil
	}
	s.child.Process.Kill()
	err := s.child.Wait()
	s.child = nil
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return fmt.Errorf("the child could not start: %s failed", setupCalls()[exit.ExitCode()-1].name)
	}
	return err
}

// Close ends the child.
func (s *Silicon) Close() (err error) {
	s.stop() // which kills it, and says so
	if s.shared != nil {
		err = errors.Join(err, unix.Munmap(s.shared))
		s.shared = nil
	}
	for _, f := range []*os.File{s.file, s.program} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// Run runs a batch of at most [BatchSize] cases. The outcomes' arenas are valid until the next call. A case that does
// not end, or that ends the child, has that as its outcome's error; the error returned says that no child could be had.
func (s *Silicon) Run(cases []*Case, outcomes []Outcome) error {
	if s.run(cases, outcomes) == nil {
		return nil
	}
	// One of them is to blame: ask again for each by itself.
	arenas := make([][]byte, len(cases))
	for i := range cases {
		if err := s.restart(); err != nil {
			return err
		}
		err := s.run(cases[i:i+1], outcomes[i:i+1])
		arenas[i] = append([]byte(nil), outcomes[i].Arena...)
		outcomes[i].Err = err
	}
	for i := range cases {
		outcomes[i].Arena = arenas[i]
	}
	return s.restart()
}

func (s *Silicon) restart() error {
	s.stop()
	return s.start()
}

func (s *Silicon) run(cases []*Case, outcomes []Outcome) error {
	end := sharedRecords
	for _, c := range cases {
		record(s.shared[end : end+recordSize]).load(c)
		end += recordSize
	}
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], sharedBase+uint64(end))
	if _, err := s.commands.Write(word[:]); err != nil {
		return fmt.Errorf("%w: %w", err, s.stop())
	}
	s.answers.SetReadDeadline(time.Now().Add(s.patience))
	if _, err := s.answers.Read(word[:]); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no end after %v", s.patience)
	} else if err != nil {
		return fmt.Errorf("the child died: %w", s.stop())
	}
	for i := range cases {
		at := sharedRecords + i*recordSize
		record(s.shared[at : at+recordSize]).outcome(&outcomes[i])
	}
	return nil
}
