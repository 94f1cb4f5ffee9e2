package state

import (
	"encoding/binary"
	"strings"

	"go.etcd.io/bbolt"
)

// Bounds of the kept logs: per app, and bytes of lines in each.
const (
	maxLogs     = 20
	maxLogBytes = 1 << 20
)

// SaveLog keeps what a failed instance wrote: the last lines that fit in 1 MiB.
// Of more than 20 of one app the oldest go.
func (s *Store) SaveLog(l FailedLog) error {
	if err := named(l.App); err != nil {
		return err
	}
	l.Lines = tail(l.Lines, maxLogBytes)
	return s.update("save log of "+l.App, func(tx *bbolt.Tx) error {
		of := seriesOf(tx, logsBucket, l.App)
		number, err := of.bucket.NextSequence()
		if err != nil {
			return err
		}
		if err := s.put(tx, logsBucket, binary.BigEndian.AppendUint64(of.prefix, number), l); err != nil {
			return err
		}
		return of.trim(maxLogs)
	})
}

// Logs returns the kept logs of an app, the newest first: those of the commit
// that begins with the digits given, or all where they are empty.
func (s *Store) Logs(app, commit string) ([]FailedLog, error) {
	var logs []FailedLog
	err := s.view("read logs of "+app, func(tx *bbolt.Tx) error {
		return seriesOf(tx, logsBucket, app).newest(func(key []byte) (bool, error) {
			var l FailedLog
			if err := s.get(tx, logsBucket, key, &l); err != nil {
				return false, err
			}
			if strings.HasPrefix(l.Revision.Commit, commit) {
				logs = append(logs, l)
			}
			return true, nil
		})
	})
	return logs, err
}

// tail returns the last lines that together have at most limit bytes.
func tail(lines []string, limit int) []string {
	for i := len(lines) - 1; i >= 0; i-- {
		if limit -= len(lines[i]) + 1; limit < 0 {
			return lines[i+1:]
		}
	}
	return lines
}
