package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/fault"
)

const (
	// pullLimit bounds one pull; the caller's own clock may be shorter.
	pullLimit = time.Hour
	// absentLimit is for how long a registry may not have an image yet.
	absentLimit = 5 * time.Minute
	// forgotten is after how long without a question an absence begins anew.
	forgotten = 10 * time.Minute
)

// Progress is one line of a running pull.
type Progress struct {
	Image, Layer, Status string
	// Current and Total are bytes; 0 where the engine tells none.
	Current, Total int64
}

// pull fetches an image with the credentials that the Docker config has now.
func (e *Engine) pull(ctx context.Context, ref, platform string) error {
	auth, err := e.credentials(ctx, ref)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	if err := e.fetchLayers(limited, ref, image.PullOptions{RegistryAuth: auth, Platform: platform}); err != nil {
		return e.pullError(ctx, ref, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.absences, ref)
	return nil
}

func (e *Engine) fetchLayers(ctx context.Context, ref string, options image.PullOptions) error {
	stream, err := e.api.ImagePull(ctx, ref, options)
	if err != nil {
		return err
	}
	defer stream.Close()
	return e.follow(ref, stream)
}

// event is one line of the engine's answer.
type event struct {
	ID             string `json:"id"`
	Status         string `json:"status"`
	ProgressDetail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error string `json:"error"`
}

func (e *Engine) follow(ref string, stream io.Reader) error {
	lines := json.NewDecoder(stream)
	for {
		var line event
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
		if e.opts.Progress != nil {
			e.opts.Progress(Progress{
				Image: ref, Layer: line.ID, Status: line.Status, Current: line.ProgressDetail.Current, Total: line.ProgressDetail.Total,
			})
		}
	}
}

// answer is a text that registries and engines answer with, and what it means.
type answer struct {
	advice
	class fault.Class
}

const logIn = "`docker login` to the registry as the user that runs syncd"

// answers are what is said of an image that is not to be had; everything else is
// taken to pass. A login that this host lacks is no revision's fault. What is
// absent may be on its way: Unknown.
func answers() []answer {
	return []answer{
		{advice{"repository does not exist", "see the image's name; for a private repository: " + logIn}, fault.Blocked},
		{advice{"access denied", logIn}, fault.Blocked},
		{advice{"access to the resource is denied", logIn}, fault.Blocked},
		{advice{"unauthorized", logIn}, fault.Blocked},
		{advice{"authentication required", logIn}, fault.Blocked},
		{advice{"no basic auth credentials", logIn}, fault.Blocked},
		{advice{"no matching manifest", "the image is not made for this host's platform"}, fault.Rejected},
		{advice{"does not match the specified platform", "the image is not made for this platform"}, fault.Rejected},
		{advice{"invalid reference", "write the image as name:tag"}, fault.Rejected},
		{advice{"manifest unknown", "see that the tag exists in the registry"}, fault.Unknown},
		{advice{"not found", "see that the image and tag exist in the registry"}, fault.Unknown},
		{advice{"no such image", "see that the image and tag exist in the registry"}, fault.Unknown},
	}
}

// pullError tells what cannot be had (Rejected) and what this host may not have
// (Blocked) from a registry that does not answer (Unreachable): only the first is
// ever a reason to give a revision up.
func (e *Engine) pullError(ctx context.Context, ref string, err error) error {
	wrapped := fmt.Errorf("pull image %s: %w", ref, err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return wrapped
	}
	text := strings.ToLower(err.Error())
	for _, a := range answers() {
		if !strings.Contains(text, a.text) || transient(text) {
			continue
		}
		class := a.class
		if class == fault.Unknown {
			class, wrapped = e.absent(ref, wrapped)
		}
		return fault.Hint(fault.As(class, wrapped), a.hint)
	}
	hint := "see that the host reaches the registry; syncd tries again by itself"
	if strings.Contains(text, diskFull) {
		hint = hintFor(err)
	}
	return fault.Hint(fault.As(fault.Unreachable, wrapped), hint)
}

// absent judges that a registry does not have an image: a repository is often
// faster than the image that it names. Only one that stays away is Rejected.
func (e *Engine) absent(ref string, err error) (fault.Class, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.absences.since(ref, time.Now()) < e.limits.absent {
		return fault.Unreachable, fmt.Errorf("%w; it may be on its way, and is asked for again for %s", err, e.limits.absent)
	}
	delete(e.absences, ref)
	return fault.Rejected, err
}

// absences are images that registries did not have, with when that was said first
// and last.
type absences map[string][2]time.Time

// since notes that ref is absent now, and returns for how long it has been. What
// nobody asked for in a while is absent anew.
func (a absences) since(ref string, now time.Time) time.Duration {
	maps.DeleteFunc(a, func(_ string, said [2]time.Time) bool { return now.Sub(said[1]).Abs() > forgotten })
	first := now
	if said, known := a[ref]; known {
		first = said[0]
	}
	a[ref] = [2]time.Time{first, now}
	return now.Sub(first)
}

// transient tells texts of network trouble that also contain a refusal's words.
func transient(text string) bool {
	for _, t := range []string{"dial tcp", "lookup ", "timeout", "connection refused", "connection reset", "tls handshake", "toomanyrequests", "too many requests", "x509"} {
		if strings.Contains(text, t) {
			return true
		}
	}
	return false
}
