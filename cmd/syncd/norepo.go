package main

import (
	"context"
	"errors"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// noRepository is the source of an agent that was told none: what is on record
// can be looked at, and nothing new comes.
type noRepository struct{}

func (noRepository) err() error {
	err := fault.As(fault.Blocked, errors.New("no repository is named"))
	return fault.Hint(err, "write "+defaultConfig+" (docs/configuration.md), or give --repo URL --state DIR")
}

// Resolve is an error.
func (n noRepository) Resolve(context.Context) (string, error) { return "", n.err() }

// ResolveRef is an error.
func (n noRepository) ResolveRef(context.Context, string) (string, error) { return "", n.err() }

// Load is an error.
func (n noRepository) Load(context.Context, string) (source.Snapshot, error) {
	return source.Snapshot{}, n.err()
}

// Collect has nothing to throw away.
func (noRepository) Collect(...string) error { return nil }
