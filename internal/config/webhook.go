package config

import (
	"cmp"
	"time"
)

// Webhook is where forges tell of pushes.
type Webhook struct {
	// Listen is ADDRESS:PORT; empty is nowhere.
	Listen string `yaml:"listen,omitempty" json:"listen,omitempty" rule:"listen"`
	// Path is what comes before a hook's name. Default /hooks.
	Path string `yaml:"path,omitempty" json:"path,omitempty" rule:"route"`
	// Pause is the least time between two looks. Default 2s.
	Pause Duration `yaml:"pause,omitempty" json:"pause,omitempty" rule:"100ms..1h"`
	// CertFile and KeyFile are for HTTPS; none is plain HTTP.
	CertFile string `yaml:"certFile,omitempty" json:"certFile,omitempty" rule:"abs"`
	KeyFile  string `yaml:"keyFile,omitempty" json:"keyFile,omitempty" rule:"abs"`
	Hooks    []Hook `yaml:"hooks,omitempty" json:"hooks,omitempty"`
}

// Hook is somebody who may tell.
type Hook struct {
	Name     string `yaml:"name" json:"name" rule:"name"`
	Provider string `yaml:"provider" json:"provider" rule:"github|gitlab|gitea|forgejo|bitbucket|generic"`
	// SecretFile holds the secret; it is read anew at each use.
	SecretFile string `yaml:"secretFile" json:"secretFile" rule:"abs"`
	// Header is where a generic one has its signature. Default X-Signature.
	Header string `yaml:"header,omitempty" json:"header,omitempty" rule:"header"`
}

// Generic is the provider that names its own header.
const Generic = "generic"

// Defaults returns w with what is not given filled in.
func (w Webhook) Defaults() Webhook {
	w.Path = cmp.Or(w.Path, "/hooks")
	w.Pause = cmp.Or(w.Pause, Duration(2*time.Second))
	return w
}

// checkWebhook checks what concerns several fields of webhook at once.
func (d *decoder) checkWebhook(w Webhook) {
	if d.faulty() {
		return
	}
	line := d.lines["webhook"]
	switch {
	case w.Listen == "" && len(w.Hooks) > 0:
		d.add(line, "add listen: 127.0.0.1:9186, or whatever address the forge reaches", "webhook.hooks is given, and webhook.listen is not")
	case w.Listen != "" && len(w.Hooks) == 0:
		d.add(line, "add hooks: [{name: forge, provider: github, secretFile: /etc/syncd/hook}]", "webhook.listen is given, and nobody may tell: webhook.hooks is empty")
	case w.CertFile != "" && w.KeyFile == "":
		d.add(d.lines["webhook.certFile"], "add webhook.keyFile", "webhook.certFile is of no use without its key")
	case w.KeyFile != "" && w.CertFile == "":
		d.add(d.lines["webhook.keyFile"], "add webhook.certFile", "webhook.keyFile is of no use without its certificate")
	}
	seen := map[string]bool{}
	for i, h := range w.Hooks {
		d.checkHook(h, nth("webhook.hooks", i), seen)
	}
}

// checkHook checks an entry as a whole; seen are the names of those before it.
func (d *decoder) checkHook(h Hook, at string, seen map[string]bool) {
	line := d.lines[at]
	switch {
	case h.Name == "":
		d.add(line, "such as name: forge", "%s.name is missing", at)
	case h.Provider == "":
		d.add(line, "github, gitlab, gitea, forgejo, bitbucket or generic", "%s.provider is missing", at)
	case h.SecretFile == "":
		d.add(line, "write a long random secret into a file, and into the forge", "%s.secretFile is missing", at)
	case h.Header != "" && h.Provider != Generic:
		d.add(line, "remove it, or use provider: generic", "%s.header is given, and a %s webhook has its own", at, h.Provider)
	case seen[h.Name]:
		d.add(line, "give it another name", "%s.name is %q, like that of another hook", at, h.Name)
	}
	seen[h.Name] = true
}
