package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
)

// hook is a program somewhere that takes messages as JSON.
type hook struct {
	web
	host string
}

// send implements channel. The signature is the HMAC-SHA256 of the timestamp, a dot
// and the body: a request that somebody kept is not good for ever.
func (h *hook) send(ctx context.Context, m Message) error {
	s, err := h.read()
	if err != nil {
		return err
	}
	kind, body, err := h.body(m)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	header := map[string]string{"Content-Type": kind, "Idempotency-Key": m.Key, "X-Syncd-Timestamp": at}
	if s.secret != "" {
		header["X-Syncd-Signature"] = "sha256=" + sign(s.secret, at, body)
	}
	login, _ := h.login(s)
	maps.Copy(header, login)
	return h.do(ctx, request{method: http.MethodPost, url: s.url, body: body, header: header}, s)
}

func sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// body is the message, by choice in an envelope of CloudEvents 1.0.
func (h *hook) body(m Message) (kind string, body []byte, err error) {
	if !h.conf.CloudEvents {
		body, err = json.Marshal(m)
		return "application/json", body, err
	}
	event := tree{
		"specversion": "1.0", "id": m.Key, "source": "/syncd/" + url.PathEscape(h.host), "type": "io.syncd." + strings.ReplaceAll(m.Event, "-", "."),
		"time": m.At.UTC().Format(time.RFC3339), "datacontenttype": "application/json", "data": m,
	}
	if m.Count == 1 && m.Facts[0].App != "" {
		event["subject"] = m.Facts[0].App
	}
	body, err = json.Marshal(event)
	return "application/cloudevents+json", body, err
}

// alertmanager is told what is so.
type alertmanager struct{ web }

// send implements channel: what happened is nothing to Alertmanager.
func (a *alertmanager) send(context.Context, Message) error { return nil }

// say says alerts.
func (a *alertmanager) say(ctx context.Context, alerts []alert) error {
	s, err := a.read()
	if err != nil {
		return err
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	r := request{method: http.MethodPost, url: strings.TrimSuffix(s.url, "/") + "/api/v2/alerts", body: body}
	r.header, r.user = a.login(s)
	r.header["Content-Type"] = "application/json"
	return a.do(ctx, r, s)
}
