package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// How much of an answer is read, and shown where it is a refusal, in bytes; and how
// many redirects are followed.
const (
	answerBound  = 64 << 10
	refusalBound = 200
	hops         = 3
)

// send sets a status.
func (d *destination) send(ctx context.Context, s Status) error {
	token, err := d.token()
	if err != nil {
		return hourly(err)
	}
	roots, err := d.trust()
	if err != nil {
		return hourly(err)
	}
	client := egress.Client(roots, d.conf.Limit()) // redirects are d's: to follow one would make a GET of the POST
	defer client.CloseIdleConnections()
	c := d.speak.say(d, s, token)
	body, err := json.Marshal(c.body)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	ctx, cancel := context.WithTimeout(ctx, d.conf.Limit())
	defer cancel()
	for range hops {
		got, err := d.ask(ctx, client, c, body, token)
		if err != nil {
			return err
		}
		if got.next == "" {
			return d.answered(s, got)
		}
		c.url = got.next
	}
	return hourly(fault.As(fault.Blocked, errors.New("it redirects in a circle")))
}

// answer is what a forge answered: its body up to a bound, without the token; next is
// where it redirects to on the same server, elsewhere the other server that it names.
type answer struct {
	code            int
	header          http.Header
	body            string
	next, elsewhere string
}

// ask makes one request.
func (d *destination) ask(ctx context.Context, client *http.Client, c call, body []byte, token string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, fault.As(fault.Rejected, errors.New("its API cannot be asked by the URL in the settings"))
	}
	req.Header.Set("User-Agent", "syncd")
	req.Header.Set("Content-Type", "application/json")
	for key, value := range c.header {
		req.Header.Set(key, value)
	}
	secrets := resource.Concealer([]string{token, c.header["Authorization"]})
	res, err := client.Do(req)
	if err != nil {
		said := secrets.Replace(egress.Bare(err).Error())
		return answer{}, fault.As(fault.Unreachable, fmt.Errorf("%s does not answer: %s", d.place.Web, resource.Harmless(said, refusalBound)))
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, answerBound))
	if err != nil && res.StatusCode/100 != 2 && len(data) == 0 {
		data = []byte("the answer was cut off")
	}
	got := answer{code: res.StatusCode, header: res.Header, body: secrets.Replace(string(data))}
	got.next, got.elsewhere = moved(c.url, res)
	return got, nil
}

// moved is where a redirect leads, as far as it stays on the server that the token is
// for; elsewhere is the server that it leads to else.
func moved(from string, res *http.Response) (next, elsewhere string) {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return "", ""
	}
	to, err := res.Location()
	if err != nil {
		return "", "nowhere"
	}
	was, err := url.Parse(from)
	if err == nil && to.Scheme == was.Scheme && to.Host == was.Host && to.User == nil {
		return to.String(), ""
	}
	return "", resource.Harmless(to.Scheme+"://"+to.Host, refusalBound)
}
