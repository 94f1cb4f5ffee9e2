package verify_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/source/verify"
)

// What ssh-keygen signs that is no Git object is judged by the same list.
func TestWhatIsSignedApart(t *testing.T) {
	p := newPlace(t)
	public, other := p.key("ann"), p.key("other")
	const text = "what was packed"
	sign := func(namespace string) []byte { return []byte(p.bySSH(p.dir+"/ann", namespace, text)) }
	ours, gits := sign("syncd-pack"), sign("git")
	judge := func(keys verify.Keys, payload string, signature []byte, at time.Time) (verify.Signer, error) {
		return keys.Detached("the pack", "syncd-pack", []byte(payload), signature, at)
	}
	listed := allow(t, `ann@example.com namespaces="syncd-pack",valid-before="20300101Z" `+public)
	got, err := judge(listed, text, ours, now())
	good(t, "signed", got, err, verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Key: p.fingerprint("ann")})
	for what, c := range map[string]struct {
		keys      verify.Keys
		payload   string
		signature []byte
		at        time.Time
		words     string
	}{
		"for Git":        {listed, text, gits, now(), `for the namespace "git", and not for "syncd-pack"`},
		"key for Git":    {allow(t, `ann@example.com namespaces="git" `+public), text, ours, now(), `which may sign only for git, and not for "syncd-pack"`},
		"another's":      {allow(t, "bob@example.com "+other), text, ours, now(), "does not list"},
		"changed":        {listed, text + "!", ours, now(), "does not fit"},
		"expired":        {listed, text, ours, now().AddDate(20, 0, 0), "which expired at 2030-01-01"},
		"nothing":        {listed, text, nil, now(), "no signature"},
		"something else": {listed, text, []byte("-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"), now(), "OpenPGP"},
		"signed by none": {verify.Keys{}, text, ours, now(), "names no keys"},
		"two of them":    {listed, text, append(append([]byte{}, ours...), ours...), now(), "two signatures"},
	} {
		_, err := judge(c.keys, c.payload, c.signature, c.at)
		bad(t, what, err, "the pack ", c.words)
	}
}
