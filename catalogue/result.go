package catalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/record"
)

// A Result is what came of a job.
type Result struct {
	Schema string         `json:"schema"`
	Key    string         `json:"key"`
	Tool   string         `json:"tool"` // the version that ran it
	Job    Job            `json:"job"`
	Final  bool           `json:"final"`           // the record is the answer for ever
	Error  string         `json:"error,omitempty"` // what kept the machine from running
	Record *record.Record `json:"record"`          // null where the machine did not run
}

// ResultSchema names the version of the JSON form.
const ResultSchema = "tacit.result/1"

// ErrUnknown says that there is no such result, image or entry.
var ErrUnknown = errors.New("not known")

// Results is what keeps results. What Keep has returned without an error survives the end of the process, and of the
// machine's power.
type Results interface {
	Result(ctx context.Context, key string) (*Result, error) // ErrUnknown where there is none
	Keep(ctx context.Context, r *Result) error               // leaves an earlier result alone: the first is the one
	Forget(ctx context.Context, key string) error            // of one that is not final
}

// resultOf is the result of a run that has ended. One that ended at a limit is not final, since that may have been one of
// the host's: its clock, its memory.
func resultOf(key, tool string, j Job, r *record.Record, err error) *Result {
	result := &Result{Schema: ResultSchema, Key: key, Tool: tool, Job: j, Record: r}
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.Final = r.Outcome != record.Limit && r.Outcome != record.Cancelled
	return result
}

// check says why a result that was read is not that of the key.
func (r *Result) check(key string) error {
	switch {
	case r.Schema != ResultSchema:
		return fmt.Errorf("result %.16s: schema %q, want %s", key, r.Schema, ResultSchema)
	case r.Key != key || r.Job.Key(r.Tool) != key:
		return fmt.Errorf("result %.16s: it is that of another boot", key)
	case r.Record == nil && r.Error == "", r.Final && r.Record == nil:
		return fmt.Errorf("result %.16s: it has no record", key)
	case r.Record != nil && r.Record.Schema != record.Schema:
		return fmt.Errorf("result %.16s: a record of schema %q, want %s", key, r.Record.Schema, record.Schema)
	case r.Record != nil && r.bootedSHA256() != r.Job.SHA256:
		return fmt.Errorf("result %.16s: the record is of another image", key)
	}
	return nil
}

// bootedSHA256 is the digest of what the record says was booted.
func (r *Result) bootedSHA256() string {
	switch {
	case !r.Job.Disk:
		return r.Record.Image.SHA256
	case len(r.Record.Disks) == 0:
		return ""
	}
	return r.Record.Disks[0].SHA256
}

// get is a result that is what it should be.
func get(ctx context.Context, from Results, key string) (*Result, error) {
	r, err := from.Result(ctx, key)
	if err != nil {
		return nil, err
	}
	return r, r.check(key)
}

// answer is the result as certify takes it.
func (r *Result) answer() (*record.Record, error) {
	if r.Error != "" {
		return nil, errors.New(r.Error)
	}
	return r.Record, nil
}
