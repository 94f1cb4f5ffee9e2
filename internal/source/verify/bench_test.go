package verify_test

import (
	"testing"

	"syncd.io/syncd/internal/source/verify"
)

// BenchmarkVerify is what one commit costs, of which mode every may look at many.
func BenchmarkVerify(b *testing.B) {
	p := newPlace(b)
	public := p.key("ann")
	fpr := p.person("Ann <ann@example.com>", "ed25519", "sign", made)
	for kind, c := range map[string]struct {
		keys verify.Keys
		raw  []byte
	}{
		"ssh":     {allow(b, "ann "+public), signed(plain(), p.bySSH("ann", "git", plain()))},
		"openpgp": {verify.Keys{Rings: []verify.Ring{p.ring(fpr)}}, signed(plain(), p.byGPG(fpr, plain(), "--faked-system-time", later+"!"))},
	} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := judge(c.keys, c.raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
