// Package gatebench measures the gate, in a container and on the way that a
// published port has, beside others that do the same: the port without anything
// in between, the distribution's HAProxy, the distribution's nginx. It has no
// code besides its benchmarks, which hold nothing against a clock: they report.
package gatebench
