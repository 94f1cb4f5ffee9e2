package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
)

// message is what channels are told in tests.
func message() Message {
	g := group{}
	g.add(Told{Event: "rolled-back", Severity: Error, Fact: Fact{
		ID: 7, At: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), App: "shop", Owner: "team-shop", Kind: "sync", Outcome: "rolled back", Reason: `web <1> exited with "1" & said ü`,
		Revision: Revision{Commit: "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d", Author: "Jane Doe", Subject: "Raise the limit"},
	}}, time.Now())
	return g.message(route{name: "all"}, "prod-1", time.Date(2026, 5, 4, 3, 2, 10, 0, time.UTC))
}

// secretFile writes a secret, and returns where.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sendTo tells a channel once, with a deadline.
func sendTo(t *testing.T, conf config.Channel, m Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	return channelOf("ops", "prod-1", conf).send(ctx, m)
}

// asked is one request that a server got.
type asked struct {
	method, path string
	header       http.Header
	body         []byte
}

// server answers every request with a code and gives what it was asked.
func server(t *testing.T, answer http.HandlerFunc) (url string, got func() asked) {
	t.Helper()
	requests := make(chan asked, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- asked{r.Method, r.URL.EscapedPath(), r.Header, body}
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() asked {
		t.Helper()
		select {
		case a := <-requests:
			return a
		case <-time.After(2 * time.Minute):
			t.Fatal("nobody asked")
			return asked{}
		}
	}
}

// Each service is asked in the form that its own documentation shows.
func TestEachServiceIsToldInItsOwnForm(t *testing.T) {
	m := message()
	lines := "Revision: 1a2b3c4d5e by Jane Doe: Raise the limit\nOwner: team-shop\nWhy: web <1> exited with \"1\" & said ü\nsyncd: The last good revision is back.\nTo do: Fix it with a new commit; syncd logs shop shows what failed."
	for _, c := range []struct {
		conf       config.Channel
		ask, token string
		want       tree
	}{
		{config.Channel{Type: "slack"}, "POST /x", "", tree{"text": "*prod-1: shop rolled back*\n" + slackText(lines)}},
		{config.Channel{Type: "discord"}, "POST /x", "", tree{"content": "**prod-1: shop rolled back**\n" + lines, "allowed_mentions": tree{"parse": []any{}}}},
		{config.Channel{Type: "telegram", Room: "-100123"}, "POST /x/bot123:token/sendMessage", "123:token", tree{"chat_id": "-100123", "text": "prod-1: shop rolled back\n\n" + lines, "link_preview_options": tree{"is_disabled": true}}},
		{config.Channel{Type: "matrix", Room: "!room:example.org"}, "PUT /x/_matrix/client/v3/rooms/%21room:example.org/send/m.room.message/" + m.Key, "syt_token", tree{"msgtype": "m.text", "body": "prod-1: shop rolled back\n" + lines}},
		{config.Channel{Type: "ntfy", Room: "alerts"}, "POST /x", "tk_token", tree{"topic": "alerts", "title": "prod-1: shop rolled back", "message": lines, "priority": 5.0}},
		{config.Channel{Type: "teams"}, "POST /x", "", tree{"type": "message", "attachments": []any{tree{"contentType": "application/vnd.microsoft.card.adaptive", "content": tree{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": []any{
				tree{"type": "TextBlock", "wrap": true, "weight": "Bolder", "size": "Medium", "color": "Attention", "text": "prod-1: shop rolled back"},
				tree{"type": "TextBlock", "wrap": true, "text": strings.ReplaceAll(lines, "\n", "\n\n")},
			}}}}}},
	} {
		t.Run(c.conf.Type, func(t *testing.T) {
			url, got := server(t, nil)
			c.conf.URLFile = secretFile(t, url+"/x")
			if c.token != "" {
				c.conf.TokenFile = secretFile(t, c.token)
			}
			if err := sendTo(t, c.conf, m); err != nil {
				t.Fatal(err)
			}
			a := got()
			if ask := a.method + " " + a.path; ask != c.ask {
				t.Errorf("asked %s, want %s", ask, c.ask)
			}
			if a.header.Get("Idempotency-Key") != m.Key || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("the header is %v", a.header)
			}
			if bears := a.header.Get("Authorization"); (c.conf.Type == "matrix" || c.conf.Type == "ntfy") != (bears == "Bearer "+c.token) {
				t.Errorf("it bears %q", bears)
			}
			if want := jsonOf(t, c.want); jsonOf(t, decoded(t, a.body)) != want {
				t.Errorf("it was told\n%s\nwant\n%s", a.body, want)
			}
		})
	}
}

func decoded(t *testing.T, data []byte) tree {
	t.Helper()
	var v tree
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return v
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Services have limits, and nothing is refused for being long.
func TestLongMessagesAreCut(t *testing.T) {
	m := message()
	for _, piece := range []string{"ü<&\n", "\n", "\"\\", "🙂", "&&&x"} {
		m.Text = strings.Repeat(piece, 40000)
		for kind, characters := range map[string]int{"slack": 4000, "discord": 2000, "telegram": 4096, "matrix": 40 << 10, "ntfy": 4096, "teams": 6 << 10} {
			_, body := (&chat{web{conf: config.Channel{Type: kind}}}).request(m, secrets{url: "http://x"})
			for _, key := range []string{"text", "content", "message", "body"} {
				text, ok := body[key].(string)
				if ok && (utf8.RuneCountInString(text) > characters || !strings.HasSuffix(text, "…")) {
					t.Errorf("of %q %s is told %d characters", piece, kind, utf8.RuneCountInString(text))
				}
				if whole := strings.TrimRight(text, "…x"); ok && kind == "slack" && piece == "&&&x" && !strings.HasSuffix(whole, "&amp;") {
					t.Errorf("an escape is cut: %q", text[len(text)-20:])
				}
			}
			// in bytes: a push message, an event of Matrix, and a card, which Teams counts in UTF-16
			sent, err := plainJSON(body)
			most := map[string]int{"ntfy": 32 << 10, "matrix": 64 << 10, "teams": 14 << 10}[kind]
			if text, ok := body["message"].(string); err != nil || most > 0 && len(sent) > most || ok && len(text) > 4096 {
				t.Errorf("of %q %s is told %d bytes (%v)", piece, kind, len(sent), err)
			}
		}
	}
}

// Who knows the secret can tell that a webhook is the agent's own, and how old it is.
func TestAWebhookIsSigned(t *testing.T) {
	url, got := server(t, nil)
	m := message()
	for _, envelope := range []bool{false, true} {
		if err := sendTo(t, config.Channel{Type: "webhook", URL: url, SecretFile: secretFile(t, "s3cret"), TokenFile: secretFile(t, "tok"), CloudEvents: envelope}, m); err != nil {
			t.Fatal(err)
		}
		a := got()
		mac := hmac.New(sha256.New, []byte("s3cret"))
		fmt.Fprintf(mac, "%s.%s", a.header.Get("X-Syncd-Timestamp"), a.body)
		if a.header.Get("X-Syncd-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) || a.header.Get("Authorization") != "Bearer tok" || a.header.Get("Idempotency-Key") != m.Key {
			t.Errorf("the header is %v", a.header)
		}
		body := decoded(t, a.body)
		if envelope {
			for key, want := range map[string]any{"specversion": "1.0", "id": m.Key, "source": "/syncd/prod-1", "type": "io.syncd.rolled.back", "subject": "shop", "time": "2026-05-04T03:02:10Z", "datacontenttype": "application/json"} {
				if body[key] != want {
					t.Errorf("%s is %v, want %v", key, body[key], want)
				}
			}
			if a.header.Get("Content-Type") != "application/cloudevents+json" {
				t.Errorf("it is %s", a.header.Get("Content-Type"))
			}
			body = body["data"].(tree)
		}
		if jsonOf(t, body) != jsonOf(t, decoded(t, []byte(jsonOf(t, m)))) {
			t.Errorf("it was told %s", a.body)
		}
	}
}

// What a server answers says whether another attempt is of use, and nothing that it
// says or does costs more than its time.
func TestAnswersAreJudged(t *testing.T) {
	const secret = "T000-very-secret-path"
	flood := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for range 10000 {
			if _, err := w.Write([]byte(strings.Repeat("flood ", 1000))); err != nil {
				return
			}
		}
	}
	redirect := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/"+secret, http.StatusTemporaryRedirect)
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	gone := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		class  fault.Class
		says   string
	}{
		"500":      {code(500, "oops"), fault.Unreachable, "channel ops answered 500: oops"},
		"408":      {code(408, ""), fault.Unreachable, "answered 408"},
		"429":      {code(429, ""), fault.Unreachable, "answered 429"},
		"404":      {code(404, "no such hook: "+secret+"\x1b[31m"), fault.Rejected, "channel ops answered 404: no such hook: (secret)"},
		"flood":    {flood, fault.Unreachable, "answered 500: flood flood"},
		"redirect": {redirect, fault.Rejected, "redirects to http://169.254.169.254, which is not followed"},
		"hang":     {hang, fault.Unreachable, "context deadline exceeded"},
		"gone":     {gone, fault.Unreachable, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := server(t, c.answer)
			limit := time.Minute
			if name == "hang" {
				limit = 500 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := channelOf("ops", "prod-1", config.Channel{Type: "slack", URL: url + "/" + secret}).send(ctx, message())
			if err == nil || fault.Of(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v (%v), want %q", err, fault.Of(err), c.says)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 400) {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func code(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text)) // the client may be gone
	}
}

func TestAChannelSaysWhenToComeBack(t *testing.T) {
	for _, c := range []struct {
		header, body string
		want         time.Duration
	}{
		{"120", "", 2 * time.Minute}, {"", `{"retry_after": 1.5}`, 1500 * time.Millisecond}, {"", `{"ok":false,"parameters":{"retry_after":31}}`, 31 * time.Second},
		{"soon", "soon", 0}, {"-5", "", 0}, {"99999999999", "", 24 * time.Hour}, {"999999", "", 24 * time.Hour}, {"", `{"retry_after": 1e300}`, 24 * time.Hour},
		{"Mon, 01 Jan 2001 00:00:00 GMT", "", 0},
	} {
		if got := max(0, retryAfter(c.header, []byte(c.body))); got != c.want {
			t.Errorf("%q %q: %v, want %v", c.header, c.body, got, c.want)
		}
	}
	if err := outbox.After(errDown, time.Minute); err.Error() != "down" {
		t.Error(err)
	}
}

// A bundle of authorities, as systems keep it, is some hundred kilobytes long.
func TestABundleOfAuthoritiesIsReadToItsEnd(t *testing.T) {
	s := httptest.NewTLSServer(code(http.StatusOK, "ok"))
	t.Cleanup(s.Close)
	others := strings.Repeat("# another authority\n", 10_000)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	bundle := filepath.Join(t.TempDir(), "ca-certificates.crt")
	if err := os.WriteFile(bundle, append([]byte(others), own...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sendTo(t, config.Channel{Type: "slack", URL: s.URL, CAFile: bundle}, message()); err != nil {
		t.Error(err)
	}
}

// A secret that is not there yet is waited for, and no error holds one.
func TestSecretsAreReadAnewAndNeverShown(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "url")
	conf := config.Channel{Type: "slack", URLFile: missing}
	err := sendTo(t, conf, message())
	if fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "read the url of channel ops") {
		t.Errorf("the error is %v", err)
	}
	if err := os.WriteFile(missing, []byte("hxxps://hooks.example.org/T000/secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sendTo(t, conf, message()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error is %v", err)
	}
	url, got := server(t, nil)
	t.Setenv("SYNCD_TEST_HOOK", url)
	if err := sendTo(t, config.Channel{Type: "slack", URLEnv: "SYNCD_TEST_HOOK"}, message()); err != nil {
		t.Fatal(err)
	}
	got()
}

// sendShort tells a channel once, within half a second.
func sendShort(t *testing.T, conf config.Channel) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	return channelOf("ops", "prod-1", conf).send(ctx, message())
}
