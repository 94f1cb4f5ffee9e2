package main

import (
	"syncd.io/syncd/internal/render/compose"
	"syncd.io/syncd/internal/sandbox"
)

// rendering are the operations that need the renderers.
func rendering() map[string]sandbox.Op {
	return map[string]sandbox.Op{
		"discover": sandbox.Handle(compose.Discover),
		"render":   sandbox.Handle(compose.Render),
	}
}
