package main

import (
	"fmt"
	"sync"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/reconcile"
)

// pullStep is how many per cent come between two events about one image.
const pullStep = 10

// pulls makes events of what the engine tells about pulls: a few per image, and
// not hundreds per layer. Nil hears nothing.
func pulls(hear func(reconcile.Event)) func(docker.Progress) {
	if hear == nil {
		return nil
	}
	p := &pulling{hear: hear, images: map[string]*pulled{}}
	return p.take
}

type pulling struct {
	mu     sync.Mutex
	hear   func(reconcile.Event)
	images map[string]*pulled
}

// pulled is how far one image is: bytes per layer, and what was told last.
type pulled struct {
	current, total map[string]int64
	told           string
}

func (p *pulling) take(progress docker.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	image := p.images[progress.Image]
	if image == nil {
		image = &pulled{current: map[string]int64{}, total: map[string]int64{}}
		p.images[progress.Image] = image
	}
	if progress.Total > 0 && progress.Status == "Downloading" {
		image.current[progress.Layer], image.total[progress.Layer] = progress.Current, progress.Total
	}
	text := "pulling " + progress.Image + image.percent()
	if text == image.told {
		return
	}
	image.told = text
	p.hear(reconcile.Event{Text: text})
}

// percent is how much of the layers that have begun is here.
func (p *pulled) percent() string {
	var current, total int64
	for layer, size := range p.total {
		current, total = current+p.current[layer], total+size
	}
	if total == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d %%)", 100*current/total/pullStep*pullStep)
}
