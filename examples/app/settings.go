package main

import (
	"cmp"
	"time"
)

// settings is everything that the environment says.
type settings struct {
	name     string
	version  string
	broken   bool
	greeting string
	listen   string // empty: the mode's own default
	config   string // path of a file that is shown; empty: none
	db       string // address of the database; empty: none
	data     string
	schema   string
	interval time.Duration
}

// fromEnv reads the settings through getenv. An interval that is no duration
// becomes the default: an example has nobody to complain to.
func fromEnv(getenv func(string) string) settings {
	interval, err := time.ParseDuration(getenv("APP_INTERVAL"))
	if err != nil || interval <= 0 {
		interval = time.Second
	}
	return settings{
		name:     cmp.Or(getenv("APP_NAME"), "app"),
		version:  cmp.Or(getenv("APP_VERSION"), "dev"),
		broken:   getenv("BROKEN") == "1",
		greeting: getenv("APP_GREETING"),
		listen:   getenv("APP_LISTEN"),
		config:   getenv("APP_CONFIG"),
		db:       getenv("APP_DB"),
		data:     cmp.Or(getenv("APP_DATA"), "/data"),
		schema:   cmp.Or(getenv("APP_SCHEMA"), "1"),
		interval: interval,
	}
}
