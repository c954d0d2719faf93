// Preemption in all detail: every candidate with its victims, by the plugin's own dry run, and which of them tie.

package main

import (
	"fmt"
	"math"
	"slices"
	"sort"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
	"k8s.io/kubernetes/pkg/scheduler/util"
)

// draws is how often the plugin is asked for its choice among candidates, which it makes in the order of a map.
const draws = 8

// candidates lists the nodes that victims could leave, in node order, and gives the best of lowest index.
func (r *replay) candidates(pod *v1.Pod, state fwk.CycleState, statuses *framework.NodeToStatus, told *Preemption) (preemption.Candidate, error) {
	helpful, err := statuses.NodesForStatusCode(r.profile.SnapshotSharedLister().NodeInfos(), fwk.Unschedulable)
	if err != nil {
		return nil, err
	}
	budgets, err := r.preempt.PdbLister.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	found, _, err := r.preempt.DryRunPreemption(r.ctx, state, pod, helpful, budgets, 0, int32(len(helpful)))
	if err != nil {
		return nil, err
	}
	sort.Slice(found, func(i, j int) bool { return r.index[found[i].Name()] < r.index[found[j].Name()] })
	for _, one := range found {
		told.Candidates = append(told.Candidates, Candidate{one.Name(), keys(one.Victims().Pods), one.Victims().NumPDBViolations})
	}
	best := ties(found)
	for _, one := range best {
		told.Ties = append(told.Ties, one.Name())
	}
	for range draws {
		if drawn := r.preempt.SelectCandidate(r.ctx, found); !slices.Contains(told.Ties, drawn.Name()) {
			return nil, fmt.Errorf("SelectCandidate took %s, not one of %v", drawn.Name(), told.Ties)
		}
	}
	return best[0], nil
}

// ties are the candidates that no rule of the plugin prefers another to.
func ties(found []preemption.Candidate) []preemption.Candidate {
	rank := func(one preemption.Candidate) [5]int64 {
		victims := one.Victims()
		sum := int64(0)
		for _, pod := range victims.Pods {
			sum += int64(corev1helpers.PodPriority(pod)) + int64(math.MaxInt32+1)
		}
		starts := util.GetEarliestPodStartTime(victims)
		return [5]int64{
			victims.NumPDBViolations, int64(corev1helpers.PodPriority(victims.Pods[0])), sum,
			int64(len(victims.Pods)), -starts.UnixNano(),
		}
	}
	var best []preemption.Candidate
	for _, one := range found {
		order := -1
		if len(best) > 0 {
			mine, theirs := rank(one), rank(best[0])
			order = slices.Compare(mine[:], theirs[:])
		}
		if order < 0 {
			best = nil
		}
		if order <= 0 {
			best = append(best, one)
		}
	}
	return best
}

// carryOut removes the victims, and weaker nominations on the node.
func (r *replay) carryOut(pod *v1.Pod, chosen preemption.Candidate, told *Preemption) error {
	told.Nominated, told.Victims = chosen.Name(), keys(chosen.Victims().Pods)
	for _, victim := range chosen.Victims().Pods {
		if err := r.Cache.RemovePod(r.logger, victim); err != nil {
			return err
		}
		if err := r.pods.Delete(victim); err != nil {
			return err
		}
	}
	for _, info := range r.SchedulingQueue.NominatedPodsForNode(chosen.Name()) {
		waiting := info.GetPod()
		if corev1helpers.PodPriority(waiting) < corev1helpers.PodPriority(pod) {
			told.Cleared = append(told.Cleared, key(waiting))
			r.SchedulingQueue.DeleteNominatedPodIfExists(waiting)
		}
	}
	return nil
}

func keys(pods []*v1.Pod) []string {
	var all []string
	for _, pod := range pods {
		all = append(all, key(pod))
	}
	return all
}
