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
	"syncd.io/syncd/internal/resource"
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

// maxText is how long what is told of a pack may be, in bytes: it has a name that
// anybody may have chosen.
const maxText = 2000

// Drop is a directory into which packs are dropped, by somebody who is trusted with
// nothing else: what is done there leads nowhere else.
type Drop struct {
	Dir   string
	Inbox *Inbox
	// Tell hears what happened, in one line for people.
	Tell func(text string)
	// Look is called after there is something new.
	Look func()

	trouble string              // what was told of the directory last
	waiting map[string]*waiting // by name: what stays there
	soon    bool                // a file was replaced while it was looked at
	first   time.Time           // the first change that nobody looked at; zero is none
}

// stamp tells a file from what it was.
type stamp struct {
	size     int64
	modified time.Time
}

func stampOf(info fs.FileInfo) stamp { return stamp{info.Size(), info.ModTime()} }

// Run takes packs as they come, until ctx ends.
func (d *Drop) Run(ctx context.Context) {
	d.waiting = map[string]*waiting{}
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
			if name := filepath.Base(e.Name); open && isPack(name) {
				if w := d.waiting[name]; w != nil {
					w.wake()
				}
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
			timer.Reset(d.rest(time.Now()))
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

// rest is how long the directory is left alone where it tells nothing.
func (d *Drop) rest(now time.Time) time.Duration {
	switch {
	case d.trouble != "":
		return slowPoll
	case d.soon:
		return quiet
	}
	rest, latest := slowPoll, d.Inbox.mark()
	for _, w := range d.waiting {
		if more, ok := w.wait(now, latest); ok {
			rest = min(rest, max(quiet, more))
		}
	}
	return rest
}

// sweep takes every pack that is there, in the order in which they were made as far
// as their names tell.
func (d *Drop) sweep(ctx context.Context) {
	d.soon = false
	root, entries, err := d.list()
	if err != nil {
		d.troubled("packs cannot be looked for: " + err.Error())
		return
	}
	defer root.Close()
	d.troubled("")
	there := map[string]*waiting{}
	for _, e := range entries {
		if w := d.waiting[e.Name()]; w != nil {
			there[e.Name()] = w
		}
	}
	d.waiting = there
	for _, e := range entries {
		if ctx.Err() == nil && isPack(e.Name()) {
			d.take(ctx, root, e.Name())
		}
	}
}

// isPack tells whether a pack may have the name. One that is hidden is not for us yet.
func isPack(name string) bool {
	return strings.HasSuffix(name, Suffix) && !strings.HasPrefix(name, ".")
}

// list opens the directory; the caller has to close it.
func (d *Drop) list() (*os.Root, []fs.DirEntry, error) {
	root, err := os.OpenRoot(d.Dir)
	if err != nil {
		return nil, nil, err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, nil, errors.Join(err, root.Close())
	}
	return root, entries, nil
}

// troubled tells what is wrong with the directory, once; empty is nothing.
func (d *Drop) troubled(text string) {
	if d.trouble != text && text != "" {
		d.Tell(resource.Harmless(text, maxText))
	}
	d.trouble = text
}

// say tells something of a file, once.
func (d *Drop) say(w *waiting, text string) {
	if w.told != text {
		w.told = text
		d.Tell(resource.Harmless(text, maxText))
	}
}

func (d *Drop) take(ctx context.Context, root *os.Root, name string) {
	info, err := root.Lstat(name)
	if err != nil { // taken away meanwhile
		return
	}
	w, latest, began := d.waitingFor(name), d.Inbox.mark(), time.Now()
	w.become(stampOf(info))
	if more, ok := w.wait(began, latest); !ok || more > 0 {
		return
	}
	f := &dropped{root, name, info}
	taken, err := d.Inbox.takeFrom(ctx, name, f.open)
	w.become(stampOf(f.info))
	w.behind = nil
	w.later(began, time.Now())
	switch {
	case ctx.Err() != nil:
	case err == nil:
		d.finish(f, w, taken)
	case fault.Of(err) != fault.Rejected:
		d.say(w, "tried again later: "+err.Error())
	case time.Since(f.info.ModTime()).Abs() < settled: // it may still be written
	case errors.Is(err, ErrIncomplete):
		d.say(w, err.Error()+"; waiting for the rest of it")
	case errors.Is(err, errAhead):
		w.behind = &latest
		d.say(w, err.Error()+"; waiting for the pack that brings it ("+fault.Advice(err)+")")
	default:
		d.refuse(f, w, err)
	}
}

// waitingFor is what is remembered of a file.
func (d *Drop) waitingFor(name string) *waiting {
	if d.waiting[name] == nil {
		d.waiting[name] = &waiting{}
	}
	return d.waiting[name]
}

// finish moves a pack out of the way, with its receipt beside it for whoever takes it
// back.
func (d *Drop) finish(f *dropped, w *waiting, taken Taken) {
	text := fmt.Sprintf("%s brought revision %s and %d images", f.name, taken.Receipt.Commit[:10], taken.Images)
	switch taken.Outcome {
	case Known:
		text = f.name + " had been unpacked before"
	case Stale:
		text = fmt.Sprintf("%s is older than what was unpacked at %s, and was left alone: %s", f.name, taken.Receipt.At.Format(time.RFC3339), taken.Why)
	}
	receipt, err := taken.Receipt.encode()
	if err == nil {
		err = d.move(f, w, doneDir, ".receipt.json", receipt)
	}
	if err != nil {
		text += "; it stays there: " + err.Error()
	}
	d.say(w, text)
	if taken.Outcome == Unpacked {
		d.Look()
	}
}

func (d *Drop) refuse(f *dropped, w *waiting, cause error) {
	text := cause.Error()
	why := resource.Harmless(text, maxText) + "\n" + resource.Harmless(fault.Advice(cause), maxText) + "\n"
	if err := d.move(f, w, brokenDir, ".why", []byte(why)); err != nil {
		text += "; it stays there: " + err.Error()
	}
	d.say(w, text)
}

// move moves a file aside, unless another one has come under its name: that is looked
// at next. What cannot be moved stays.
func (d *Drop) move(f *dropped, w *waiting, to, suffix string, note []byte) error {
	err := f.aside(to, suffix, note)
	switch {
	case errors.Is(err, errReplaced):
		d.soon = true
		return nil
	case err == nil:
		delete(d.waiting, f.name)
	default:
		w.stays = true
	}
	return err
}
