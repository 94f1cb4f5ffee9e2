package config

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// told is a host with these channels and routes.
func told(channels, routes string) string {
	return "repo: {url: a}\nnotify:\n  channels: {" + channels + "}\n  routes: [" + routes + "]\n"
}

func TestWhoIsTold(t *testing.T) {
	host, err := DecodeHost("f", []byte(`repo: {url: a}
notify:
  channels:
    chat: {type: slack, urlFile: /etc/syncd/slack}
    mail: {type: email, server: "mail.example.org:587", from: a@b.c, recipients: [d@e.f], username: u, passwordEnv: MAIL}
    room: {type: matrix, url: "https://matrix.example.org", room: "!a:b", tokenFile: /t, pause: 0s, timeout: 30s}
  routes:
    - {to: [chat]}
    - name: two
      to: [mail, room]
      apps: [shop-*]
      events: [halted, rolled-back]
      remind: 0s
      group: 1m
      template: |
        {{.Title}}
        {{.Text}}
`))
	if err != nil {
		t.Fatal(err)
	}
	r, c := host.Notify.Routes, host.Notify.Channels
	if len(c) != 3 || c["room"].Between() != 0 || c["room"].Limit() != 30*time.Second || c["chat"].Between() != time.Second || c["chat"].Limit() != 10*time.Second {
		t.Errorf("the channels are %+v", c)
	}
	if r[0].RemindAfter() != 4*time.Hour || r[0].GroupFor() != 10*time.Second || r[1].RemindAfter() != 0 || r[1].GroupFor() != time.Minute || r[1].Template != "{{.Title}}\n{{.Text}}\n" {
		t.Errorf("the routes are %+v", r)
	}
}

func TestWhoCannotBeToldIsSaid(t *testing.T) {
	const secret = "T0123-secret"
	for text, want := range map[string]string{
		told("", "{to: [ops]}"): `notify.routes[0].to names "ops", and notify.channels has none of that name`,
		told("ops: {type: slack, url: 'https://a'}", "{to: [oops]}"): `did you mean "ops"?`,
		told("", "{apps: [a]}"): "notify.routes[0].to is missing",
		told("", "{to: []}"):    "notify.routes[0].to is missing",
		told("ops: {type: slack, url: 'https://a'}", "{to: [ops], events: [roled-back]}"):                                      `did you mean "rolled-back"?`,
		told("ops: {type: slack, url: 'https://a'}", "{to: [ops], severity: fatal}"):                                           "want info or warning or error",
		told("ops: {type: slack, url: 'https://a'}", "{to: [ops], apps: ['shop[']}"):                                           "want a glob over names",
		told("ops: {type: slack, url: 'https://a'}", "{name: a, to: [ops]}, {name: a, to: [ops]}"):                             `notify.routes[1].name is "a", like that of another route`,
		told("ops: {url: 'https://a'}", ""):                                                                                    "notify.channels.ops.type is missing",
		told("ops: {type: slak, url: 'https://a'}", ""):                                                                        `did you mean "slack"?`,
		told("ops: {type: slack}", ""):                                                                                         "notify.channels.ops is of type slack, and url is missing",
		told("ops: {type: slack, url: 'https://a', urlFile: /a}", ""):                                                          "says in two ways what its url is",
		told("ops: {type: slack, url: 'https://a', room: b}", ""):                                                              "is of type slack, to which room is of no use",
		told("ops: {type: slack, url: 'ftp://a/"+secret+"'}", ""):                                                              "notify.channels.ops.url is (secret): want an http or https URL",
		told("ops: {type: matrix, url: 'https://a', tokenFile: /a}", ""):                                                       "is of type matrix, and room is missing",
		told("ops: {type: ntfy, url: 'https://a', room: b, username: c}", ""):                                                  "has half a login",
		told("ops: {type: ntfy, url: 'https://a', room: b, username: c, passwordFile: /d, tokenFile: /e}", ""):                 "has a token and a login",
		told("ops: {type: email, server: 'a:25', from: a@b, recipients: ['c@d\\r\\nBcc: e']}", ""):                             "notify.channels.ops.recipients is",
		told("ops: {type: email, server: 'a:25', from: a@b, recipients: [c@d], tls: none, username: u, passwordFile: /p}", ""): "would send its password without TLS",
		told("ops: {type: command, command: [tell]}", ""):                                                                      "notify.channels.ops.command is no absolute path",
	} {
		_, err := DecodeHost("f", []byte(text))
		if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error()+" "+fault.Advice(err), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}
