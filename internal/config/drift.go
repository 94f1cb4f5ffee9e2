package config

import (
	"errors"
	"path"
	"strings"
)

// Drift says what is done about differences that syncd did not make.
type Drift struct {
	// Ignore are fields that may differ.
	Ignore []Ignore `yaml:"ignore,omitempty" json:"ignore,omitempty"`
	// Grace is how old drift has to be before it is repaired. Nil is the host's.
	Grace *Duration `yaml:"grace,omitempty" json:"grace,omitempty" rule:"0s..744h"`
	// Schedule is when the app is looked at in full, besides what events and the
	// agent's own times ask for.
	Schedule string `yaml:"schedule,omitempty" json:"schedule,omitempty" rule:"cron"`
}

// Ignore names fields of objects that may differ.
type Ignore struct {
	// Objects are globs of KIND/NAME; none is every object.
	Objects []string `yaml:"objects,omitempty" json:"objects,omitempty" rule:"objects"`
	// Fields are paths as reports print them, or JSON pointers: one at least.
	Fields []string `yaml:"fields" json:"fields" rule:"fieldPath"`
	// Reason is shown wherever such a field differs.
	Reason string `yaml:"reason" json:"reason"`
}

// HostDrift is what holds for apps that say nothing else.
type HostDrift struct {
	// Grace is how old drift has to be before it is repaired. Default 0s.
	Grace Duration `yaml:"grace,omitempty" json:"grace,omitempty" rule:"0s..744h"`
	// Schedule is when every app is looked at in full.
	Schedule string `yaml:"schedule,omitempty" json:"schedule,omitempty" rule:"cron"`
}

// checkIgnore refuses a rule that would ignore nothing: who wrote it thinks otherwise.
func (d *decoder) checkIgnore(i Ignore, at string) {
	if len(i.Fields) == 0 && !d.faulty() { // what is wrong with a key has been said
		d.add(d.lines[at], "such as fields: [spec.replicas]", "%s.fields is missing", at)
	}
}

func checkObjects(glob string) error {
	if _, err := path.Match(glob, ""); err != nil {
		return errors.New("a [ has no end")
	}
	return nil
}

func checkFieldPath(field string) error {
	if strings.Trim(field, "/.*") == "" {
		return errors.New("it names every field")
	}
	return nil
}
