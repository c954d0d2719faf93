// The real scheduler over a fake API server: built once a case, its cache filled in the case's order.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	frameworkplugins "k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
)

const everyNode = 100 // percent

// Cluster is one scheduler with its cache; its informers' stores hold the other objects.
type Cluster struct {
	*scheduler.Scheduler
	ctx     context.Context
	stop    func()
	profile framework.Framework
	plugins map[string]framework.Plugin
	preempt *preemption.Evaluator
	pods    cache.Indexer
	nodes   []*v1.Node
	index   map[string]int
	logger  klog.Logger
}

// newCluster starts a scheduler. percentage nil looks at every node; workers is the parallelism of its algorithms.
func newCluster(
	objects *Objects, bound []*v1.Pod, raw json.RawMessage, percentage *int32, workers int32, extenders ...config.Extender,
) (*Cluster, error) {
	ctx, cancel := context.WithCancel(context.Background())
	client := fake.NewClientset(objects.served()...)
	factory := scheduler.NewInformerFactory(client, 0)
	profiles, err := readProfiles(raw)
	if err != nil {
		cancel()
		return nil, err
	}
	if percentage == nil {
		all := int32(everyNode)
		percentage = &all
	}
	var captured config.KubeSchedulerProfile
	made, err := scheduler.New(ctx, client, factory, nil, recorders,
		scheduler.WithComponentConfigVersion("kubescheduler.config.k8s.io/v1"),
		scheduler.WithProfiles(profiles...),
		scheduler.WithPercentageOfNodesToScore(percentage),
		scheduler.WithParallelism(workers),
		scheduler.WithExtenders(extenders...),
		scheduler.WithBuildFrameworkCapturer(func(built config.KubeSchedulerProfile) { captured = built }),
	)
	if err != nil {
		cancel()
		return nil, err
	}
	c := &Cluster{Scheduler: made, ctx: ctx, nodes: objects.Nodes, index: map[string]int{}, logger: klog.FromContext(ctx)}
	c.stop = func() { cancel(); factory.Shutdown() }
	c.profile = made.Profiles[profiles[0].SchedulerName]
	c.pods = factory.Core().V1().Pods().Informer().GetIndexer()
	if err := c.start(factory); err != nil {
		return nil, err
	}
	if err := c.gather(captured); err != nil {
		return nil, err
	}
	if err := c.awaitVolumes(objects); err != nil {
		return nil, err
	}
	return c, c.fill(bound)
}

func recorders(string) events.EventRecorder { return events.NewFakeRecorder(0) }

// start runs the informers and waits until the scheduler's handlers have seen all objects.
func (c *Cluster) start(factory informers.SharedInformerFactory) error {
	factory.Start(c.ctx.Done())
	factory.WaitForCacheSync(c.ctx.Done())
	return c.WaitForHandlersSync(c.ctx)
}

// awaitVolumes waits for the volume binder's own caches, which nobody says to be complete: they are read where they lie.
func (c *Cluster) awaitVolumes(objects *Objects) error {
	binding, runs := c.plugins["VolumeBinding"].(*volumebinding.VolumeBinding)
	if !runs || len(objects.Volumes)+len(objects.Claims) == 0 {
		return nil
	}
	binder := reflect.ValueOf(binding.Binder).Elem()
	volumes := inside[*volumebinding.PVAssumeCache](binder, "pvCache")
	claims := inside[*volumebinding.PVCAssumeCache](binder, "pvcCache")
	return wait.PollUntilContextTimeout(c.ctx, time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		for _, one := range objects.Volumes {
			if _, err := volumes.GetPV(one.Name); err != nil {
				return false, nil
			}
		}
		for _, one := range objects.Claims {
			if _, err := claims.GetPVC(one.Namespace + "/" + one.Name); err != nil {
				return false, nil
			}
		}
		return true, nil
	})
}

// inside is a private field.
func inside[T any](of reflect.Value, name string) T {
	field := of.FieldByName(name)
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface().(T)
}

// gather finds the profile's own plugin instances. Those that only score are not handed out by the framework; having no
// state, they are made anew.
func (c *Cluster) gather(captured config.KubeSchedulerProfile) error {
	c.plugins = map[string]framework.Plugin{}
	for _, one := range c.profile.EnqueueExtensions() {
		c.plugins[one.Name()] = one
	}
	arguments := map[string]runtime.Object{}
	for _, one := range captured.PluginConfig {
		arguments[one.Name] = one.Args
	}
	factories := frameworkplugins.NewInTreeRegistry()
	for _, one := range c.profile.ListPlugins().Score.Enabled {
		if _, scores := c.plugins[one.Name].(framework.ScorePlugin); scores {
			continue
		}
		plugin, err := factories[one.Name](c.ctx, arguments[one.Name], c.profile)
		if err != nil {
			return err
		}
		c.plugins[one.Name] = plugin
	}
	if own, ok := c.plugins["DefaultPreemption"].(*defaultpreemption.DefaultPreemption); ok {
		c.preempt = own.Evaluator
		// Victims leave the cache at once, by the replay; nothing is deleted on the side.
		c.preempt.PreemptPod = func(context.Context, preemption.Candidate, *v1.Pod, *v1.Pod, string) error { return nil }
	}
	return nil
}

// fill puts nodes and bound pods into the scheduler's cache.
func (c *Cluster) fill(bound []*v1.Pod) error {
	for number, node := range c.nodes {
		c.index[node.Name] = number
		c.Cache.AddNode(c.logger, node)
	}
	for _, pod := range bound {
		if _, known := c.index[pod.Spec.NodeName]; !known {
			return fmt.Errorf("pod %s is bound to an unknown node", key(pod))
		}
		if err := c.Cache.AddPod(c.logger, pod); err != nil {
			return err
		}
		if err := c.pods.Add(pod); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) info(name string) (fwk.NodeInfo, error) {
	return c.profile.SnapshotSharedLister().NodeInfos().Get(name)
}

// readProfiles reads a KubeSchedulerConfiguration as kube-scheduler does, and makes preemption look at every node.
func readProfiles(raw json.RawMessage) ([]config.KubeSchedulerProfile, error) {
	if len(raw) == 0 {
		raw = json.RawMessage(`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"KubeSchedulerConfiguration"}`)
	}
	read, _, err := scheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
	if err != nil {
		return nil, err
	}
	whole, ok := read.(*config.KubeSchedulerConfiguration)
	if !ok {
		return nil, fmt.Errorf("config is a %T", read)
	}
	if err := validation.ValidateKubeSchedulerConfiguration(whole); err != nil {
		return nil, err
	}
	for _, each := range whole.Profiles {
		for _, one := range each.PluginConfig {
			if arguments, ok := one.Args.(*config.DefaultPreemptionArgs); ok {
				arguments.MinCandidateNodesPercentage = everyNode
			}
		}
	}
	return whole.Profiles, nil
}
