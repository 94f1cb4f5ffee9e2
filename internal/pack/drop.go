package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"syncd.io/syncd/internal/fault"
)

// Where packs go that somebody dropped. Nothing is ever removed.
const (
	doneDir   = "done"
	brokenDir = "broken"
)

// slowPoll is the time between two looks at a directory that tells nothing, such as
// one on NFS. What is written is left alone for a moment: quiet after its last change,
// and no longer than patience, so that nobody who writes all the time keeps others out.
const (
	slowPoll = 30 * time.Second
	quiet    = 200 * time.Millisecond
	patience = 5 * time.Second
	// settled is the age beyond which a file is not being written any more.
	settled = 10 * time.Second
)

// Drop is a directory into which packs are dropped.
type Drop struct {
	Dir   string
	Inbox *Inbox
	// Tell hears what happened, in one line for people.
	Tell func(text string)
	// Look is called after there is something new.
	Look func()

	told  map[string]string // file -> what was told of it last
	done  map[string]stamp  // what could not be moved away
	first time.Time         // the first change that nobody looked at; zero is none
}

// stamp tells a file from what it was.
type stamp struct {
	size     int64
	modified time.Time
}

// Run takes packs as they come, until ctx ends.
func (d *Drop) Run(ctx context.Context) {
	d.told, d.done = map[string]string{}, map[string]stamp{}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		d.Tell("packs are found by polling only: " + err.Error())
		watcher = &fsnotify.Watcher{}
	} else {
		defer watcher.Close()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-watcher.Events:
			if open && strings.HasSuffix(e.Name, Suffix) {
				timer.Reset(d.pause(time.Now()))
			}
		case _, open := <-watcher.Errors:
			if open { // events were lost
				timer.Reset(d.pause(time.Now()))
			}
		case <-timer.C:
			d.first = time.Time{}
			if watcher.Events != nil {
				_ = watcher.Add(d.Dir) // again, where it was made anew; polling finds the rest
			}
			d.sweep(ctx)
			timer.Reset(slowPoll)
		}
	}
}

// pause is how long a change that came now is left alone.
func (d *Drop) pause(now time.Time) time.Duration {
	if d.first.IsZero() {
		d.first = now
	}
	return max(0, min(quiet, patience-now.Sub(d.first)))
}

// sweep takes every pack that is there, in the order in which they were made as far
// as their names tell.
func (d *Drop) sweep(ctx context.Context) {
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		d.say(d.Dir, "packs cannot be looked for: "+err.Error())
		return
	}
	delete(d.told, d.Dir)
	for _, e := range entries {
		if ctx.Err() == nil && strings.HasSuffix(e.Name(), Suffix) && !strings.HasPrefix(e.Name(), ".") {
			d.take(ctx, filepath.Join(d.Dir, e.Name()))
		}
	}
}

// say tells something of a file once.
func (d *Drop) say(file, text string) {
	if d.told[file] != text {
		d.told[file] = text
		d.Tell(text)
	}
}

func (d *Drop) take(ctx context.Context, file string) {
	info, err := os.Stat(file)
	if err != nil { // taken away meanwhile
		return
	}
	now := stamp{info.Size(), info.ModTime()}
	if d.done[file] == now {
		return
	}
	taken, err := d.Inbox.Take(ctx, file)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		d.finish(file, now, taken)
	case fault.Of(err) != fault.Rejected:
		d.say(file, "tried again later: "+err.Error())
	case time.Since(now.modified).Abs() < settled: // it may still be written
	case errors.Is(err, ErrIncomplete):
		d.say(file, err.Error()+"; waiting for the rest of it")
	case errors.Is(err, errAhead):
		d.say(file, err.Error()+"; waiting for the pack that brings it ("+fault.Advice(err)+")")
	default:
		d.refuse(file, now, err)
	}
}

// finish moves a pack out of the way, with its receipt beside it for whoever takes it
// back.
func (d *Drop) finish(file string, now stamp, taken Taken) {
	text := fmt.Sprintf("%s brought revision %s and %d images", filepath.Base(file), taken.Receipt.Commit[:10], taken.Images)
	switch taken.Outcome {
	case Known:
		text = filepath.Base(file) + " had been unpacked before"
	case Stale:
		text = fmt.Sprintf("%s is older than what was unpacked at %s, and was left alone: %s", filepath.Base(file), taken.Receipt.At.Format(time.RFC3339), taken.Why)
	}
	moved, err := d.move(file, doneDir, now)
	if err == nil {
		err = taken.Receipt.Save(moved + ".receipt.json")
	}
	if err != nil {
		text += "; it stays there: " + err.Error()
	}
	d.say(file, text)
	if taken.Outcome == Unpacked {
		d.Look()
	}
}

func (d *Drop) refuse(file string, now stamp, cause error) {
	text := cause.Error()
	moved, err := d.move(file, brokenDir, now)
	if err == nil {
		err = os.WriteFile(moved+".why", []byte(text+"\n"+fault.Advice(cause)+"\n"), 0o600)
	}
	if err != nil {
		text += "; it stays there: " + err.Error()
	}
	d.say(file, text)
}

// move moves a file into a directory beside it; one that was moved there under the
// same name stays. What cannot be moved is remembered.
func (d *Drop) move(file, to string, now stamp) (string, error) {
	d.done[file] = now
	dir := filepath.Join(d.Dir, to)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	place := filepath.Join(dir, filepath.Base(file))
	for n := 2; ; n++ {
		if _, err := os.Lstat(place); errors.Is(err, fs.ErrNotExist) {
			break
		}
		place = filepath.Join(dir, fmt.Sprintf("%s.%d%s", strings.TrimSuffix(filepath.Base(file), Suffix), n, Suffix))
	}
	if err := os.Rename(file, place); err != nil {
		return "", err
	}
	delete(d.done, file)
	return place, nil
}
