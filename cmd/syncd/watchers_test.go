package main

import (
	"testing"

	"syncd.io/syncd/internal/config"
)

func TestCheckFindsWhatCollectorsAndGrafanaNeed(t *testing.T) {
	if found := checkWatchers(t.Context(), config.Host{}); len(found) != 0 {
		t.Errorf("of nobody it finds %v", found)
	}
	good := config.Host{Traces: config.Traces{Endpoint: "http://127.0.0.1:4318"}, Annotations: config.Annotations{URL: "http://127.0.0.1:3000"}}
	bad := config.Host{Traces: config.Traces{Endpoint: "http://127.0.0.1:4318", HeadersFile: "/nowhere/headers"}, Annotations: config.Annotations{URL: "http://127.0.0.1:3000", TokenFile: "/nowhere/token"}}
	for _, host := range []config.Host{good, bad} {
		found := checkWatchers(t.Context(), host)
		if len(found) != 2 || found[0].Check != "traces" || found[1].Check != "annotations" {
			t.Fatalf("it finds %v", found)
		}
		for _, f := range found {
			if want := host.Traces.HeadersFile == ""; f.OK != want || f.OK == (f.Fix != "") {
				t.Errorf("it finds %+v", f)
			}
		}
	}
}
