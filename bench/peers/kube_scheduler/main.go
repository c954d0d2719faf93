// Command kube_scheduler runs the real kube-scheduler in this process on the JSON of the recordings.
//
//	kube_scheduler verdicts <CASES >RESULTS    a file of cases on stdin; the same with `expected` anew on stdout
//	kube_scheduler speed DIR [FLAGS]           how fast it decides a workload; one JSON object on stdout
//	kube_scheduler calls DIR [FLAGS]           how long an extender takes to answer its calls; one JSON object on stdout
//	kube_scheduler version                     the release that is built in
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// atOnce is how many cases are replayed at a time: most of a small case is waiting for informers.
const atOnce = 16

func main() {
	klog.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "verdicts":
		err = verdicts(os.Stdin, os.Stdout)
	case "speed":
		err = speed(os.Args[2:], os.Stdout)
	case "calls":
		err = calls(os.Args[2:], os.Stdout)
	case "version":
		fmt.Println(release())
	default:
		err = fmt.Errorf("usage: kube_scheduler verdicts|speed|calls|version")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube_scheduler:", err)
		os.Exit(1)
	}
}

// release is the version of k8s.io/kubernetes that is built in.
func release() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "k8s.io/kubernetes" {
			return module.Version
		}
	}
	return "unknown"
}

// verdicts replays a document of cases. A case that the scheduler itself refuses gets `refused` instead of `expected`.
func verdicts(in io.Reader, out io.Writer) error {
	document := map[string]json.RawMessage{}
	if err := json.NewDecoder(in).Decode(&document); err != nil {
		return err
	}
	var cases []json.RawMessage
	if err := json.Unmarshal(document["cases"], &cases); err != nil {
		return err
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for number := range cases {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer wait.Done()
			cases[number] = answered(cases[number])
			<-slots
		}()
	}
	wait.Wait()
	document["source"] = encoded("kube-scheduler " + release())
	document["cases"] = encoded(cases)
	return json.NewEncoder(out).Encode(document)
}

func answered(raw json.RawMessage) json.RawMessage {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return encoded(map[string]string{"refused": err.Error()})
	}
	delete(fields, "expected")
	one, err := decodeCase(raw)
	if err == nil {
		var results []*Result
		if results, err = replayCase(one); err == nil {
			fields["expected"] = encoded(results)
		}
	}
	if err != nil {
		fields["refused"] = encoded(err.Error())
	}
	return encoded(fields)
}

// encoded leaves <, > and & as they are.
func encoded(value any) json.RawMessage {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(buffer.Bytes())
}
