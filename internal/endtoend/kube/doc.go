// Package kube holds the tests that run the whole agent on a real cluster and a
// real Git repository: from a merge to a healthy deploy, and back. It has no code
// of its own besides them.
package kube
