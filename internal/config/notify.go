package config

import (
	"cmp"
	"time"
)

// Notify says who is told of what happens, and how.
type Notify struct {
	// Channels are who can be told, by name.
	Channels map[string]Channel `yaml:"channels,omitempty" json:"channels,omitempty" keys:"name"`
	// Routes say what each of them is told. Every route that fits tells.
	Routes []Route `yaml:"routes,omitempty" json:"routes,omitempty"`
}

// Route tells what fits all that it asks for to channels.
type Route struct {
	Name string `yaml:"name,omitempty" json:"name,omitempty" rule:"name"`
	// Apps are globs over apps' names; none is every app, and the agent itself.
	Apps []string `yaml:"apps,omitempty" json:"apps,omitempty" rule:"glob"`
	// Owner is the owner that an app has to have.
	Owner string `yaml:"owner,omitempty" json:"owner,omitempty"`
	// Labels are those that this host has to have.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty" keys:"label" rule:"labelValue"`
	// Events are what is told; none is all but sync-started, repaired and act.
	Events []string `yaml:"events,omitempty" json:"events,omitempty" rule:"sync-started|applied|repaired|degraded|rolled-back|held|halted|blocked|rejected|window-pending|drift-opened|drift-changed|drift-resolved|drift-fight|source-stale|source-diverged|source-unverified|source-unreachable|source-recovered|recovered|act"`
	// Severity is the least that is told; the end of what was told always is.
	Severity string   `yaml:"severity,omitempty" json:"severity,omitempty" rule:"info|warning|error"`
	To       []string `yaml:"to" json:"to" rule:"name"`
	// Template makes the text, as a text/template; empty is the agent's own.
	Template string `yaml:"template,omitempty" json:"template,omitempty" rule:"template"`
	// Remind is after how long what is still so is told again; 0s is never.
	Remind *Duration `yaml:"remind,omitempty" json:"remind,omitempty" rule:"0s..744h"`
	// Group is for how long what happens is collected into one message.
	Group *Duration `yaml:"group,omitempty" json:"group,omitempty" rule:"0s..1h"`
}

// RemindAfter is Remind with its default.
func (r Route) RemindAfter() time.Duration { return or(r.Remind, Duration(4*time.Hour)).D() }

// GroupFor is Group with its default.
func (r Route) GroupFor() time.Duration { return or(r.Group, Duration(10*time.Second)).D() }

// Channel is somebody who can be told. Which of its settings are of use depends on
// its type. Secrets are read from files, or from named variables of the agent's
// environment, anew at each use.
type Channel struct {
	Type string `yaml:"type" json:"type" rule:"slack|teams|discord|telegram|email|matrix|ntfy|webhook|alertmanager|command"`
	// URL is where it is told; URLFile holds a URL that is a secret.
	URL     string `yaml:"url,omitempty" json:"url,omitempty" rule:"anyWeb"`
	URLFile string `yaml:"urlFile,omitempty" json:"urlFile,omitempty" rule:"abs"`
	URLEnv  string `yaml:"urlEnv,omitempty" json:"urlEnv,omitempty" rule:"variable"`
	// TokenFile holds a token: Telegram's bot's, Matrix' or ntfy's access token, or one
	// that is borne to a webhook or to Alertmanager.
	TokenFile string `yaml:"tokenFile,omitempty" json:"tokenFile,omitempty" rule:"abs"`
	TokenEnv  string `yaml:"tokenEnv,omitempty" json:"tokenEnv,omitempty" rule:"variable"`
	// Username and the password are a login.
	Username     string `yaml:"username,omitempty" json:"username,omitempty"`
	PasswordFile string `yaml:"passwordFile,omitempty" json:"passwordFile,omitempty" rule:"abs"`
	PasswordEnv  string `yaml:"passwordEnv,omitempty" json:"passwordEnv,omitempty" rule:"variable"`
	// SecretFile holds what a webhook is signed with.
	SecretFile string `yaml:"secretFile,omitempty" json:"secretFile,omitempty" rule:"abs"`
	SecretEnv  string `yaml:"secretEnv,omitempty" json:"secretEnv,omitempty" rule:"variable"`
	// Room is Matrix' room, Telegram's chat or ntfy's topic.
	Room string `yaml:"room,omitempty" json:"room,omitempty"`
	// Server is that of e-mail, HOST:PORT; TLS how it is spoken to.
	Server     string   `yaml:"server,omitempty" json:"server,omitempty" rule:"hostPort"`
	TLS        string   `yaml:"tls,omitempty" json:"tls,omitempty" rule:"starttls|tls|none"`
	From       string   `yaml:"from,omitempty" json:"from,omitempty" rule:"mail"`
	Recipients []string `yaml:"recipients,omitempty" json:"recipients,omitempty" rule:"mail"`
	// CloudEvents wraps what a webhook is sent into an envelope of CloudEvents 1.0.
	CloudEvents bool `yaml:"cloudEvents,omitempty" json:"cloudEvents,omitempty"`
	// Command is a program with its arguments, as an absolute path.
	Command []string `yaml:"command,omitempty" json:"command,omitempty"`
	// CAFile is a certificate authority besides the system's.
	CAFile string `yaml:"caFile,omitempty" json:"caFile,omitempty" rule:"abs"`
	// Timeout is what one attempt may take; Pause the least time between two messages.
	Timeout Duration  `yaml:"timeout,omitempty" json:"timeout,omitempty" rule:"1s..5m"`
	Pause   *Duration `yaml:"pause,omitempty" json:"pause,omitempty" rule:"0s..1h"`
}

// The types of channels that are treated apart.
const (
	Email        = "email"
	Telegram     = "telegram"
	Alertmanager = "alertmanager"
	Command      = "command"
)

// Limit is Timeout with its default.
func (c Channel) Limit() time.Duration { return cmp.Or(c.Timeout, Duration(10*time.Second)).D() }

// Between is Pause with its default.
func (c Channel) Between() time.Duration { return or(c.Pause, Duration(time.Second)).D() }
