package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// chat is a place where people talk: one request tells it, in the place's own form.
type chat struct{ web }

// tree is a piece of JSON.
type tree = map[string]any

// send implements channel.
func (c *chat) send(ctx context.Context, m Message) error {
	s, err := c.read()
	if err != nil {
		return err
	}
	r, body := c.request(m, s)
	if r.body, err = plainJSON(body); err != nil {
		return fault.As(fault.Rejected, err)
	}
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header["Content-Type"], r.header["Idempotency-Key"] = "application/json", m.Key
	return c.do(ctx, r, s)
}

// plainJSON is JSON as short as it can be: what it is put into is no page.
func plainJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return out.Bytes(), err
}

// request is what a message looks like to the channel's type. The limits are those that
// the services' own documents name, with room for what they add:
//   - Slack, "Rate limits" and "Truncating really long messages": 4,000 characters are
//     asked for, more than 40,000 are cut off.
//   - Discord, "Webhook Resource, Execute Webhook": 2,000 characters of content, else 400.
//   - Telegram, "Bot API, sendMessage": 1 to 4,096 characters after its entities, of which
//     none are sent.
//   - Matrix, "Client-Server API, Size limits": 65,536 bytes of an event, signatures and all.
//   - ntfy, "Publishing" and its server's message-size-limit: 4,096 bytes, beyond which a
//     message becomes an attachment.
func (c *chat) request(m Message, s secrets) (request, tree) {
	post := request{method: http.MethodPost, url: s.url}
	switch c.conf.Type {
	case "slack":
		return post, tree{"text": slackBound("*"+slackText(m.Title)+"*\n"+slackText(m.Text), 3900)}
	case "teams":
		return post, teamsCard(m)
	case "discord":
		return post, tree{"content": boundRunes("**"+m.Title+"**\n"+m.Text, 2000), "allowed_mentions": tree{"parse": []string{}}}
	case "telegram":
		post.url = strings.TrimSuffix(s.url, "/") + "/bot" + s.token + "/sendMessage"
		return post, tree{"chat_id": c.conf.Room, "text": boundRunes(m.Title+"\n\n"+m.Text, 4000), "link_preview_options": tree{"is_disabled": true}}
	case "matrix":
		post.method = http.MethodPut
		post.url = strings.TrimSuffix(s.url, "/") + "/_matrix/client/v3/rooms/" + url.PathEscape(c.conf.Room) + "/send/m.room.message/" + url.PathEscape(m.Key)
		post.header = map[string]string{"Authorization": "Bearer " + s.token}
		return post, tree{"msgtype": "m.text", "body": bound(m.Title+"\n"+m.Text, 30<<10)}
	default: // ntfy
		post.header, post.user = c.login(s)
		return post, tree{"topic": c.conf.Room, "title": bound(m.Title, 200), "message": bound(m.Text, 3500), "priority": priority(m.Severity)}
	}
}

// login is how a channel is shown who asks: a token, a name and a password, or neither.
func (w web) login(s secrets) (header map[string]string, user *url.Userinfo) {
	switch {
	case s.token != "":
		return map[string]string{"Authorization": "Bearer " + s.token}, nil
	case w.conf.Username != "":
		return map[string]string{}, url.UserPassword(w.conf.Username, s.password)
	default:
		return map[string]string{}, nil
	}
}

// slackText escapes the three characters that Slack reads as its own.
func slackText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// slackBound cuts text to limit bytes, and never within an escaped character.
func slackBound(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = bound(text, limit)
	if i := strings.LastIndexByte(text, '&'); i >= 0 && !strings.Contains(text[i:], ";") {
		text = text[:i] + "…"
	}
	return text
}

// teamsText is what a card holds, in bytes. "Create an Incoming Webhook" allows 28 KB for
// all of the message, which are 14,000 characters where they are counted in UTF-16, and
// each line's end is four in the card's JSON.
const teamsText = 3 << 10

// teamsCard is an adaptive card, which Teams' workflows post.
func teamsCard(m Message) tree {
	block := func(text string, more tree) tree {
		out := tree{"type": "TextBlock", "text": text, "wrap": true}
		for key, value := range more {
			out[key] = value
		}
		return out
	}
	body := []tree{
		block(m.Title, tree{"weight": "Bolder", "size": "Medium", "color": map[Severity]string{Error: "Attention", Warning: "Warning"}[m.Severity]}),
		block(strings.ReplaceAll(bound(m.Text, teamsText), "\n", "\n\n"), nil),
	}
	if m.Severity == Info {
		delete(body[0], "color")
	}
	card := tree{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	return tree{"type": "message", "attachments": []tree{{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}}}
}

// priority is ntfy's: 3 is the usual one.
func priority(s Severity) int { return 3 + s.weight() }

// boundRunes cuts text to a number of characters.
func boundRunes(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
