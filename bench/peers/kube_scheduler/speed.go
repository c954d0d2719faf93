// How fast the real algorithm decides: SchedulePod, then the pod assumed in the cache. No queue, binding, events or API.

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// Speed is one run over one workload; seconds are wall-clock unless named otherwise.
type Speed struct {
	Release    string  `json:"release"`
	Nodes      int     `json:"nodes"`
	Bound      int     `json:"bound"`
	Pods       int     `json:"pods"`
	Placed     int     `json:"placed"`
	Feasible   int     `json:"feasible"` // on average
	Percentage int     `json:"percentageOfNodesToScore"`
	Workers    int     `json:"parallelism"`
	Cores      int     `json:"gomaxprocs"`
	Read       float64 `json:"readSeconds"`  // JSON to objects
	Build      float64 `json:"buildSeconds"` // scheduler, informers, cache
	Seconds    float64 `json:"seconds"`      // all decisions
	CPU        float64 `json:"cpuSeconds"`   // of the process meanwhile, collector included
	Median     float64 `json:"medianSeconds"`
	Fastest    float64 `json:"fastestSeconds"`
	Extender   bool    `json:"extender"`

	Samples []float64         `json:"microseconds,omitempty"` // of each pod, with an extender or -samples
	Hosts   map[string]string `json:"hosts,omitempty"`        // where each pod went, likewise
}

const warmUps = 3

// speed runs a workload as bench/kube_scheduler/speed.py writes it: nodes, init, pods and namespaces.json in a folder.
func speed(arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("speed", flag.ContinueOnError)
	percentage := flags.Int("percentage", everyNode, "percentageOfNodesToScore; 0 adapts")
	workers := flags.Int("parallelism", 16, "workers of the algorithm")
	most := flags.Int("pods", 0, "read and decide only so many pods; 0: all")
	url := flags.String("extender", "", "URL prefix of an extender that filters, prioritizes and binds")
	cached := flags.Bool("names", true, "only names of nodes travel to it (nodeCacheCapable)")
	samples := flags.Bool("samples", false, "say how long each pod took, and where it went")
	if len(arguments) == 0 {
		return errors.New("usage: kube_scheduler speed DIR [-percentage N] [-parallelism N] [-pods N]")
	}
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	begin := time.Now()
	var objects Objects
	var bound, pods []*v1.Pod
	for name, into := range map[string]any{"namespaces": &objects.Namespaces, "nodes": &objects.Nodes, "init": &bound} {
		if err := readJSON(filepath.Join(arguments[0], name+".json"), into); err != nil {
			return err
		}
	}
	if err := readPods(filepath.Join(arguments[0], "pods.json"), *most, &pods); err != nil {
		return err
	}
	read := time.Since(begin)
	share := int32(*percentage)
	var extenders []config.Extender
	if *url != "" {
		extenders = append(extenders, extender(*url, *cached))
	}
	cluster, err := newCluster(&objects, bound, nil, &share, int32(*workers), extenders...)
	if err != nil {
		return err
	}
	defer cluster.stop()
	result := Speed{
		Release: release(), Nodes: len(objects.Nodes), Bound: len(bound), Pods: len(pods), Percentage: *percentage,
		Workers: *workers, Cores: runtime.GOMAXPROCS(0), Read: read.Seconds(), Build: (time.Since(begin) - read).Seconds(),
	}
	result.Extender = *url != ""
	if *samples || result.Extender {
		result.Hosts = map[string]string{}
	}
	if err := cluster.decideAll(pods, &result); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

func (c *Cluster) decideAll(pods []*v1.Pod, result *Speed) error {
	for range min(warmUps, len(pods)) {
		if _, err := c.SchedulePod(c.ctx, c.profile, framework.NewCycleState(), pods[0]); err != nil {
			return err
		}
	}
	runtime.GC()
	times := make([]time.Duration, 0, len(pods))
	feasible, before, begin := 0, cpu(), time.Now()
	for _, pod := range pods {
		start := time.Now()
		found, err := c.SchedulePod(c.ctx, c.profile, framework.NewCycleState(), pod)
		var unfit *framework.FitError
		if errors.As(err, &unfit) {
			continue
		} else if err != nil {
			return err
		}
		bound := pod.DeepCopy()
		bound.Spec.NodeName = found.SuggestedHost
		if err := c.Cache.AssumePod(c.logger, bound); err != nil {
			return err
		}
		if err := c.bindBy(bound, found.SuggestedHost); err != nil {
			return err
		}
		times = append(times, time.Since(start))
		if result.Hosts != nil {
			result.Hosts[key(pod)] = found.SuggestedHost
			result.Samples = append(result.Samples, float64(time.Since(start).Nanoseconds())/1000)
		}
		feasible += found.FeasibleNodes
	}
	result.Seconds, result.CPU = time.Since(begin).Seconds(), (cpu() - before).Seconds()
	result.Placed = len(times)
	if len(times) > 0 {
		slices.Sort(times)
		result.Median, result.Fastest = times[len(times)/2].Seconds(), times[0].Seconds()
		result.Feasible = feasible / len(times)
	}
	return nil
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// readPods decodes a list of pods, only the first `most` of them if that is not 0.
func readPods(path string, most int, pods *[]*v1.Pod) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for decoder.More() && (most == 0 || len(*pods) < most) {
		pod := &v1.Pod{}
		if err := decoder.Decode(pod); err != nil {
			return err
		}
		*pods = append(*pods, pod)
	}
	return nil
}
