package config

// Verify says whose signature a revision needs before anything of it is rendered.
type Verify struct {
	// Mode is head (the followed commit; default) or every (all that came since the
	// revision accepted last, merges included).
	Mode string `yaml:"mode,omitempty" json:"mode,omitempty" rule:"head|every"`
	// Tags says, where a tag is followed, what has to be signed: its commit (default),
	// the annotated tag in the commit's stead, or both.
	Tags    string        `yaml:"tags,omitempty" json:"tags,omitempty" rule:"commit|tag|both"`
	SSH     VerifySSH     `yaml:"ssh,omitempty" json:"ssh,omitzero"`
	OpenPGP VerifyOpenPGP `yaml:"openpgp,omitempty" json:"openpgp,omitzero"`
}

// VerifySSH names the keys of SSH signatures. The files are read anew at each use.
type VerifySSH struct {
	// AllowedSignersFile is in the format of ssh-keygen(1).
	AllowedSignersFile string `yaml:"allowedSignersFile,omitempty" json:"allowedSignersFile,omitempty" rule:"abs"`
	// RevokedFile lists public keys, one a line, or is a KRL.
	RevokedFile string `yaml:"revokedFile,omitempty" json:"revokedFile,omitempty" rule:"abs"`
}

// VerifyOpenPGP names the keys of OpenPGP signatures. The files are read anew at each
// use.
type VerifyOpenPGP struct {
	// KeyringFiles hold public keys, in armour or not.
	KeyringFiles []string `yaml:"keyringFiles,omitempty" json:"keyringFiles,omitempty" rule:"abs"`
}

// Every tells whether all new commits have to be signed, and not the newest alone.
func (v Verify) Every() bool { return v.Mode == "every" }

// OfTag tells whether a followed tag has to be signed; OfCommit whether the commit
// has to be, of which a tag says that it is followed.
func (v Verify) OfTag() bool { return v.Tags == "tag" || v.Tags == "both" }

// OfCommit is the other half of OfTag.
func (v Verify) OfCommit() bool { return v.Tags != "tag" }
