// Package webhooks verifies a webhook with nothing but the standard library.
package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const tolerance = 5 * time.Minute

// ErrNotOurs asks for a 400: do nothing with the request.
var ErrNotOurs = errors.New("not signed by us, or too old")

// Verify returns the message id. The body is as it came, before any JSON parsing.
func Verify(header http.Header, body []byte, secrets []string, now time.Time) (string, error) {
	id := header.Get("webhook-id")
	seconds, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return "", ErrNotOurs
	}
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(seconds, 10) + "."))
		mac.Write(body)
		expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, candidate := range strings.Fields(header.Get("webhook-signature")) {
			if hmac.Equal([]byte(candidate), []byte(expected)) {
				return id, nil
			}
		}
	}
	return "", ErrNotOurs
}
