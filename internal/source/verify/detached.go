package verify

import (
	"errors"
	"fmt"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Detached says who signed payload, which is no Git object: by an SSH signature that
// was made in a namespace of its own. what names it in errors. Keys have to be valid
// at the time at. The errors are those of Verify.
func (k Keys) Detached(what, namespace string, payload, signature []byte, at time.Time) (Signer, error) {
	signer, err := k.detached(Object{payload: payload, namespace: namespace, Time: at}, string(signature))
	if err != nil {
		return Signer{}, k.advise(fault.As(fault.Rejected, fmt.Errorf("%s %w", what, err)))
	}
	signer.Name = resource.Harmless(signer.Name, maxName)
	return signer, nil
}

func (k Keys) detached(o Object, armour string) (Signer, error) {
	kind, err := kindOf(armour)
	if err != nil {
		return Signer{}, err
	}
	if kind != SSH {
		return Signer{}, errors.New("has an OpenPGP signature, and only SSH's are known for it")
	}
	return k.overSSH(o, armour)
}

// space is the namespace that an object's signature has to be made in.
func (o Object) space() string {
	if o.namespace != "" {
		return o.namespace
	}
	return namespace
}
