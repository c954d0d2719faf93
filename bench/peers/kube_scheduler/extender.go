// An extender of the scheduler's, called as the scheduler calls it: by its own HTTPExtender, over HTTP.

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// extender is the configuration of one that offers every verb; cached: only names of nodes travel.
func extender(url string, cached bool) config.Extender {
	return config.Extender{
		URLPrefix: url, FilterVerb: "filter", PrioritizeVerb: "prioritize", PreemptVerb: "preempt", BindVerb: "bind",
		Weight: 1, NodeCacheCapable: cached, HTTPTimeout: metav1.Duration{Duration: time.Minute},
	}
}

// bindBy lets the extender that binds, if there is one, commit what the scheduler has chosen.
func (c *Cluster) bindBy(pod *v1.Pod, node string) error {
	for _, one := range c.Extenders {
		if one.IsBinder() {
			return one.Bind(&v1.Binding{
				ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
				Target:     v1.ObjectReference{Kind: "Node", Name: node},
			})
		}
	}
	return nil
}

// Calls is how long each call took, in microseconds, in the order in which each client made them.
type Calls struct {
	Nodes      int       `json:"nodes"`
	Clients    int       `json:"clients"`
	Cached     bool      `json:"nodeCacheCapable"`
	Seconds    float64   `json:"seconds"`
	Filter     []float64 `json:"filterMicroseconds"`
	Prioritize []float64 `json:"prioritizeMicroseconds"`
}

// calls asks an extender about all nodes of a workload, pod after pod, by some clients at once.
func calls(arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("calls", flag.ContinueOnError)
	url := flags.String("extender", "", "URL prefix of the extender")
	cached := flags.Bool("names", true, "only names of nodes travel (nodeCacheCapable)")
	clients := flags.Int("clients", 1, "how many call at once")
	count := flags.Int("calls", 200, "calls of each verb by each client")
	if len(arguments) == 0 {
		return errors.New("usage: kube_scheduler calls DIR -extender URL [-names=BOOL] [-clients N] [-calls N]")
	}
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	var nodes []*v1.Node
	var pods []*v1.Pod
	if err := readJSON(filepath.Join(arguments[0], "nodes.json"), &nodes); err != nil {
		return err
	}
	if err := readPods(filepath.Join(arguments[0], "pods.json"), 0, &pods); err != nil {
		return err
	}
	infos := make([]fwk.NodeInfo, len(nodes))
	for number, node := range nodes {
		info := framework.NewNodeInfo()
		info.SetNode(node)
		infos[number] = info
	}
	result := Calls{Nodes: len(nodes), Clients: *clients, Cached: *cached}
	var wait sync.WaitGroup
	var lock sync.Mutex
	var failed error
	begin := time.Now()
	for client := range *clients {
		settings := extender(*url, *cached)
		asked, err := scheduler.NewHTTPExtender(&settings)
		if err != nil {
			return err
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			filter, prioritize, err := timeCalls(asked, pods, infos, client, *count)
			lock.Lock()
			defer lock.Unlock()
			result.Filter, result.Prioritize = append(result.Filter, filter...), append(result.Prioritize, prioritize...)
			if err != nil {
				failed = err
			}
		}()
	}
	wait.Wait()
	result.Seconds = time.Since(begin).Seconds()
	if failed != nil {
		return failed
	}
	return json.NewEncoder(out).Encode(result)
}

// timeCalls filters all nodes for a pod and has those that pass prioritized, `count` times after three that are not counted.
func timeCalls(asked framework.Extender, pods []*v1.Pod, infos []fwk.NodeInfo, client, count int) (filter, prioritize []float64, err error) {
	for turn := range count + warmUps {
		pod := pods[(client*count+turn)%len(pods)]
		start := time.Now()
		passed, failedNodes, hopeless, err := asked.Filter(pod, infos)
		took := time.Since(start)
		if err != nil {
			return nil, nil, err
		}
		if len(passed)+len(failedNodes)+len(hopeless) != len(infos) {
			return nil, nil, fmt.Errorf("pod %s: %d of %d nodes are answered for", key(pod), len(passed), len(infos))
		}
		start = time.Now()
		scores, _, err := asked.Prioritize(pod, passed)
		scored := time.Since(start)
		if err != nil {
			return nil, nil, err
		}
		if len(*scores) != len(passed) {
			return nil, nil, fmt.Errorf("pod %s: %d scores of %d nodes", key(pod), len(*scores), len(passed))
		}
		if turn >= warmUps {
			filter = append(filter, float64(took.Nanoseconds())/1000)
			prioritize = append(prioritize, float64(scored.Nanoseconds())/1000)
		}
	}
	return filter, prioritize, nil
}
