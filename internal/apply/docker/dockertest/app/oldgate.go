package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// wasGate tells whether the program was called as a gate's, of before gates could
// wait with their answers, and does what that did.
func wasGate() (code int, was bool) {
	if filepath.Base(os.Args[0]) != "syncd-gate" {
		return 0, false
	}
	f := flag.NewFlagSet("syncd-gate", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.String("dir", "/gate", "")
	var err error
	if len(os.Args) < 2 || os.Args[1] != "table" {
		err = errors.New("only table is known here")
	} else {
		err = f.Parse(os.Args[2:])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\nhint: syncd-gate help lists what there is\n", err)
		return 1, true
	}
	fmt.Println(`{"listening":true,"waiting":0,"backends":[{"id":"0123456789ab","draining":true,"inFlight":7,"served":0,"failed":0}],"totals":{}}`)
	return 0, true
}
