package forge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"syncd.io/syncd/internal/outbox"
)

// outgoing is a status on its way to a queue.
type outgoing struct {
	topic string
	Status
}

// add queues it in place of what waits there under the same name of the same commit.
func (o outgoing) add(tx *outbox.Tx) error {
	body, err := json.Marshal(o.Status)
	if err != nil {
		return err
	}
	key := short(o.Commit) + "-" + digest(o.Context)
	if err := tx.Withdraw(o.topic, key); err != nil {
		return err
	}
	weight := 1
	if o.State == Pending {
		weight = 0
	}
	return tx.Add(o.topic, outbox.Item{Key: key, Weight: weight, Body: body})
}

// digest is eight digits that stand for a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
