package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of what one app keeps in a cluster: each save writes all of it, so that
// it is less than on a disk.
const (
	clusterHistory  = 100
	clusterLogs     = 10
	clusterLogBytes = 32 << 10
)

// content is all that a cluster keeps of one app. The three large parts are
// compressed JSON: what a save does not change is not made anew, and what nobody
// asks for stays small.
type content struct {
	label   label
	record  []byte
	history []byte // []Entry, the newest first
	logs    []byte // []FailedLog, the newest first
}

// label says whose content it is, and the ID of its newest entry of history.
type label struct {
	App  string `json:"app"`
	Last uint64 `json:"last,omitempty"`
}

var errContent = errors.New("it is damaged")

// sections are the parts in the order in which they are written.
func (c *content) sections() []*[]byte { return []*[]byte{&c.record, &c.history, &c.logs} }

// encode writes the label and the sections one after the other, each with its
// length before it.
func (c content) encode() ([]byte, error) {
	label, err := json.Marshal(c.label)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	out := append(binary.AppendUvarint(nil, uint64(len(label))), label...)
	for _, section := range c.sections() {
		out = append(binary.AppendUvarint(out, uint64(len(*section))), *section...)
	}
	return out, nil
}

// decode is the opposite of encode.
func decode(data []byte) (content, error) {
	var c content
	var raw []byte
	for _, section := range append([]*[]byte{&raw}, c.sections()...) {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > uint64(len(data)-size) {
			return content{}, errContent
		}
		*section = slices.Clone(data[size : size+int(n)])
		data = data[size+int(n):]
	}
	if err := json.Unmarshal(raw, &c.label); err != nil || len(data) > 0 {
		return content{}, errContent
	}
	return c, nil
}

func (c content) equal(other content) bool {
	return c.label == other.label && bytes.Equal(c.record, other.record) && bytes.Equal(c.history, other.history) && bytes.Equal(c.logs, other.logs)
}

// keep puts r in place of the record.
func (c *content) keep(p *packer, r Record) (err error) {
	c.record, err = p.pack(r)
	return err
}

// append adds fresh, of which the last is the newest, before all other entries.
func (c *content) append(p *packer, fresh []Entry) error {
	var entries []Entry
	if err := unpack(c.history, &entries); err != nil {
		return err
	}
	for _, e := range fresh {
		entries, c.label.Last = slices.Insert(entries, 0, e), e.ID
	}
	packed, err := p.pack(entries[:min(len(entries), clusterHistory)])
	if err != nil {
		return err
	}
	c.history = packed
	return nil
}

// note adds l before all other logs.
func (c *content) note(p *packer, l FailedLog) error {
	var logs []FailedLog
	if err := unpack(c.logs, &logs); err != nil {
		return err
	}
	l.Lines = tail(l.Lines, clusterLogBytes)
	logs = slices.Insert(logs, 0, l)
	packed, err := p.pack(logs[:min(len(logs), clusterLogs)])
	if err != nil {
		return err
	}
	c.logs = packed
	return nil
}

// found returns the logs of the commit that begins with the digits given.
func (c content) found(commit string) ([]FailedLog, error) {
	var logs []FailedLog
	err := unpack(c.logs, &logs)
	return slices.DeleteFunc(logs, func(l FailedLog) bool { return !strings.HasPrefix(l.Revision.Commit, commit) }), err
}
