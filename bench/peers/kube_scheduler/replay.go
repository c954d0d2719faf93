// A case from its first pod to its last. Scheduler.SchedulePod decides each pod; the detailed look must agree with it.

package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// firstStart is when the first pod of a queue starts; each further one a second later.
var firstStart = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

type replay struct {
	*Cluster
	percentage *int32
	start      int
	someWait   bool
}

// replayCase gives the result of each pending pod; each is bound to the best node of lowest index before the next.
func replayCase(c *Case) ([]*Result, error) {
	cluster, err := newCluster(&c.Objects, c.Bound, c.Config, c.Percentage, 1)
	if err != nil {
		return nil, err
	}
	defer cluster.stop()
	run := &replay{Cluster: cluster, percentage: c.Percentage, someWait: len(c.Nominated) > 0}
	for _, pod := range append(slices.Clone(c.Nominated), c.Pending...) {
		if err := run.pods.Add(pod); err != nil {
			return nil, err
		}
	}
	for _, pod := range c.Nominated {
		run.SchedulingQueue.Add(run.logger, pod)
	}
	var results []*Result
	for number, pod := range c.Pending {
		begins := metav1.NewTime(firstStart.Add(time.Duration(number) * time.Second))
		result, err := run.schedule(pod, begins, false)
		if err != nil {
			return nil, fmt.Errorf("pod %s: %w", key(pod), err)
		}
		results = append(results, result)
	}
	return results, nil
}

func (r *replay) schedule(pod *v1.Pod, begins metav1.Time, again bool) (*Result, error) {
	result := &Result{Pod: key(pod), Outcome: "unschedulable"}
	state := framework.NewCycleState()
	found, err := r.SchedulePod(r.ctx, r.profile, state, pod)
	if errors.Is(err, scheduler.ErrNoNodesAvailable) {
		result.FitError, result.Message = err.Error(), err.Error()
		return result, nil
	}
	var unfit *framework.FitError
	if err != nil && !errors.As(err, &unfit) {
		result.Outcome, result.Message = "error", err.Error()
		return result, nil
	}
	look, err := r.look(pod, result)
	if err != nil {
		return nil, err
	}
	if unfit != nil {
		if err := r.agreesNot(look, unfit); err != nil {
			return nil, err
		}
		return result, r.refused(pod, begins, again, state, unfit, result)
	}
	best := result.Feasible
	if result.Max != nil {
		best = result.Max
	}
	if at, known := r.index[found.SuggestedHost]; !known || !slices.Contains(best, at) || found.FeasibleNodes != len(look.feasible) {
		return nil, fmt.Errorf("SchedulePod took %s of %d, not one of %v", found.SuggestedHost, found.FeasibleNodes, best)
	}
	result.Outcome, result.Chosen = "bound", r.nodes[best[0]].Name
	return result, r.bind(pod, begins, look.state, result.Chosen)
}

// agreesNot holds the look at every node against the diagnosis of SchedulePod.
func (r *replay) agreesNot(look *Look, unfit *framework.FitError) error {
	if len(look.feasible) > 0 {
		return fmt.Errorf("SchedulePod found no node, the look %d", len(look.feasible))
	}
	for _, node := range r.nodes {
		theirs, ours := unfit.Diagnosis.NodeToStatus.Get(node.Name), look.statuses[node.Name]
		if look.refusal != nil {
			ours = look.refusal
		} else if ours == nil {
			ours = look.absent
		}
		if theirs.Plugin() != ours.Plugin() || !reflect.DeepEqual(rejection(theirs), rejection(ours)) {
			return fmt.Errorf("node %s: SchedulePod says %v, the look %v", node.Name, theirs, ours)
		}
	}
	return nil
}

// refused runs PostFilter; what leaves, leaves at once, and the pod is tried once more.
func (r *replay) refused(pod *v1.Pod, begins metav1.Time, again bool, state fwk.CycleState, unfit *framework.FitError, result *Result) error {
	result.FitError = unfit.Error()
	if !r.profile.HasPostFilterPlugins() {
		result.Message = result.FitError
		return nil
	}
	nominating, status := r.profile.RunPostFilterPlugins(r.ctx, state, pod, unfit.Diagnosis.NodeToStatus)
	unfit.Diagnosis.PostFilterMsg = status.Message()
	result.Message = unfit.Error()
	result.Preemption = &Preemption{Eligible: true}
	if status.Code() == fwk.Error {
		result.PostFilterError = true
		return nil
	}
	if r.preempt == nil {
		return nil
	}
	statuses := unfit.Diagnosis.NodeToStatus
	result.Preemption.Eligible, _ = r.preempt.PodEligibleToPreemptOthers(r.ctx, pod, statuses.Get(pod.Status.NominatedNodeName))
	if !status.IsSuccess() {
		return nil
	}
	best, err := r.candidates(pod, state, statuses, result.Preemption)
	if err != nil {
		return err
	}
	if !slices.Contains(result.Preemption.Ties, nominating.NominatedNodeName) {
		return fmt.Errorf("PostFilter took %s, not one of %v", nominating.NominatedNodeName, result.Preemption.Ties)
	}
	result.Outcome = "preempting"
	if err := r.carryOut(pod, best, result.Preemption); err != nil {
		return err
	}
	if again {
		return nil
	}
	waiting := pod.DeepCopy()
	waiting.Status.NominatedNodeName = best.Name()
	if err := r.pods.Update(waiting); err != nil {
		return err
	}
	result.Retry, err = r.schedule(waiting, begins, true)
	return err
}

// bind assumes the pod on its node and reserves its volumes.
func (r *replay) bind(pod *v1.Pod, begins metav1.Time, state fwk.CycleState, name string) error {
	bound := pod.DeepCopy()
	bound.Spec.NodeName, bound.Status.StartTime = name, &begins
	if err := r.Cache.AssumePod(r.logger, bound); err != nil {
		return err
	}
	if status := r.profile.RunReservePluginsReserve(r.ctx, state, bound, name); !status.IsSuccess() {
		return status.AsError()
	}
	r.SchedulingQueue.DeleteNominatedPodIfExists(pod)
	return r.pods.Update(bound)
}
