package verify_test

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/verify"
)

// What two readers could read in two ways is refused, whoever signed it.
func TestWhatGitNeverWritesIsRefused(t *testing.T) {
	const tree, parent = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n", "parent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
	const author, committer = "author Ann <a@b> 1 +0000\n", "committer Bob <a@b> 2 +0000\n"
	const sig = "gpgsig x\n"
	for raw, why := range map[string]string{
		tree + tree + author + committer + "\nx":                                         `two headers "tree"`,
		tree + author + author + committer + "\nx":                                       `two headers "author"`,
		tree + author + committer + committer + "\nx":                                    `two headers "committer"`,
		tree + author + committer + sig + sig + "\nx":                                    `two headers "gpgsig"`,
		tree + author + committer + sig + "encoding a\nencoding b\n\nx":                  `two headers "encoding"`,
		tree + author + committer + "gpgsig-sha256 x\n\nx":                               `a header "gpgsig-sha256"`,
		tree + author + committer + parent + "\nx":                                       `"parent" is not where`,
		author + tree + committer + "\nx":                                                `"tree" is not where`,
		tree + committer + author + "\nx":                                                `"author" is not where`,
		tree + author + committer:                                                        "no empty line",
		" x\n" + tree + author + committer + "\nx":                                       "continues another",
		tree + author + committer + "odd\n\nx":                                           "is no header",
		"tree 4b825DC642cb6eb9a060e54bf8d69288fbee4904\n" + author + committer + "\nx":   "no object name",
		tree + "parent 12\n" + author + committer + "\nx":                                "no object name",
		tree[:20] + "\n 42cb6eb9a060e54bf8d69288fbee4904\n" + author + committer + "\nx": `"tree" is not where`,
		tree + author + "committer Bob <a@b>\n\nx":                                       "has no time",
		tree + author + "committer Bob <a@b> 99999999999999999 +0000\n\nx":               "has no time",
		tree + author + committer + "\nx\x00y":                                           "a NUL",
		"":                                                                               "no empty line",
	} {
		_, err := verify.ParseCommit(name(plumbing.CommitObject, []byte(raw)), []byte(raw))
		bad(t, raw, err, "commit ", why)
	}
	const tag = "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\ntag v1\ntagger Ann <a@b> 1 +0000\n"
	for raw, why := range map[string]string{
		tag + "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nx": `two headers "object"`,
		tag + "gpgsig x\n\nx":                                                         `"gpgsig" that does not belong`,
		strings.Replace(tag, "type commit\n", "", 1) + "\nx":                          `"type" is not where`,
		strings.Replace(tag, "tagger Ann <a@b> 1 +0000\n", "", 1) + "\nx":             `"tagger" is not where`,
		tag + "\nx\n-----BEGIN PGP SIGNATURE-----\n\n-----BEGIN SSH SIGNATURE-----\n": "two signatures",
	} {
		_, err := verify.ParseTag(name(plumbing.TagObject, []byte(raw)), []byte(raw))
		bad(t, raw, err, "tag ", why)
	}
}

func TestBytesThatDoNotFitTheirName(t *testing.T) {
	_, err := verify.ParseCommit(strings.Repeat("0", 40), []byte(plain()))
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "do not fit its name") {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
}

func TestArmoursThatAreNotOneWholeSignature(t *testing.T) {
	p := newPlace(t)
	keys := allow(t, "a "+p.key("ann"))
	armour := strings.TrimSuffix(p.bySSH("ann", "git", plain()), "\n")
	body := strings.Split(armour, "\n")
	for text, why := range map[string]string{
		armour + "\n" + armour:                               "two signatures",
		armour + "\nmore":                                    "cut off or followed by something else",
		armour[:len(armour)-4]:                               "cut off or followed by something else",
		strings.Join(body[:len(body)-1], "\n"):               "cut off",
		"x\n" + armour:                                       "something that is no signature",
		"garbage":                                            "something that is no signature",
		body[0] + "\nAAAA\n" + body[len(body)-1]:             "cannot be taken",
		body[0] + "\n????\n" + body[len(body)-1]:             "cannot be taken",
		body[0] + "\n" + body[len(body)-1]:                   "cannot be taken",
		strings.Replace(armour, "BEGIN SSH", "BEGIN PGP", 1): "cut off",
		"-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----": "X.509",
		"-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----":       "no signature",
		"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----": "cannot be taken",
	} {
		_, err := judge(keys, signed(plain(), text))
		bad(t, text, err, "commit ", why)
	}
	swapped := signed(plain(), armour)
	got, err := judge(keys, []byte(strings.Replace(string(swapped), "\n\n", "\nHG:extra x\n\n", 1)))
	bad(t, "a header that was added", err, "does not fit")
	if got != (verify.Signer{}) {
		t.Errorf("a signer beside an error: %+v", got)
	}
}
