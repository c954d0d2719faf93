// One pod's cycle, in all detail: what every plugin says of every node, by the framework's and the plugins' own functions.

package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// The peer's rule of how many feasible nodes are enough, which it keeps to itself.
const (
	fewestNodes      = 100
	fewestPercent    = 5
	adaptivePercent  = 50
	nodesPerPercent  = 125
	resourceShortage = "Insufficient "
)

// Look is what one cycle saw.
type Look struct {
	state    fwk.CycleState
	refusal  *fwk.Status
	statuses map[string]*fwk.Status // of nodes that were judged and rejected
	absent   *fwk.Status            // of nodes outside the names that PreFilter left
	feasible []fwk.NodeInfo
	via      bool
}

// look goes through PreFilter, Filter and Score, writing them into result.
func (r *replay) look(pod *v1.Pod, result *Result) (*Look, error) {
	look := &Look{state: framework.NewCycleState(), statuses: map[string]*fwk.Status{}}
	narrowed, status, plugins := r.profile.RunPreFilterPlugins(r.ctx, look.state, pod)
	result.PreFilter = &PreFilter{Code: status.Code().String(), Skip: sets.List(look.state.GetSkipFilterPlugins())}
	if !status.IsSuccess() {
		look.refusal = status
		result.PreFilter.Plugin, result.PreFilter.Reasons = status.Plugin(), status.Reasons()
		return look, nil
	}
	if !narrowed.AllNodes() {
		result.PreFilter.Nodes = sets.List(narrowed.NodeNames)
	}
	if info, err := r.info(pod.Status.NominatedNodeName); pod.Status.NominatedNodeName != "" && err == nil {
		status := r.profile.RunFilterPluginsWithNominatedPods(r.ctx, look.state, pod, info)
		if status.IsSuccess() {
			look.via, look.feasible = true, []fwk.NodeInfo{info}
			result.ViaNominated, result.Feasible = true, r.numbers(look.feasible)
			return look, nil
		}
		look.statuses[info.Node().Name] = status
		plugins.Insert(status.Plugin())
	}
	nodes, err := r.profile.SnapshotSharedLister().NodeInfos().List()
	if err != nil {
		return nil, err
	}
	all := len(nodes)
	if r.percentage == nil { // every node: told in the order of the case, not in the order of zones
		nodes = slices.Clone(nodes)
		slices.SortFunc(nodes, func(a, b fwk.NodeInfo) int { return r.index[a.Node().Name] - r.index[b.Node().Name] })
	}
	if !narrowed.AllNodes() {
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(info fwk.NodeInfo) bool {
			return !narrowed.NodeNames.Has(info.Node().Name)
		})
		text := fmt.Sprintf("node(s) didn't satisfy plugin(s) %v", sets.List(plugins))
		look.absent = fwk.NewStatus(fwk.UnschedulableAndUnresolvable, text)
	}
	r.scan(pod, look, nodes, result)
	if r.percentage != nil {
		r.start = (r.start + len(look.feasible) + len(look.statuses)) % all
	}
	result.Feasible = r.numbers(look.feasible)
	result.Filter = make([]*NodeStatus, len(r.nodes))
	for number, node := range r.nodes {
		result.Filter[number] = r.told(pod, look, node.Name)
	}
	if len(look.feasible) > 1 {
		return look, r.score(pod, look, result)
	}
	return look, nil
}

// scan filters nodes until there are enough, as a single worker would.
func (r *replay) scan(pod *v1.Pod, look *Look, nodes []fwk.NodeInfo, result *Result) {
	enough, start := r.enough(len(nodes)), r.start
	if r.percentage != nil {
		result.Start = &start
	}
	for turn := range nodes {
		info := nodes[(start+turn)%len(nodes)]
		status := r.profile.RunFilterPluginsWithNominatedPods(r.ctx, look.state, pod, info)
		if status.IsSuccess() {
			if len(look.feasible) == enough {
				return
			}
			look.feasible = append(look.feasible, info)
		} else {
			look.statuses[info.Node().Name] = status
		}
		if r.percentage != nil {
			result.Visited = append(result.Visited, r.index[info.Node().Name])
		}
	}
}

func (r *replay) enough(nodes int) int {
	if nodes < fewestNodes || r.percentage == nil {
		return nodes
	}
	percent := int(*r.percentage)
	if percent == 0 {
		percent = max(adaptivePercent-nodes/nodesPerPercent, fewestPercent)
	}
	return max(nodes*percent/100, fewestNodes)
}

// told is the status of one node in the recordings' words; nil if it passed or was not looked at.
func (r *replay) told(pod *v1.Pod, look *Look, name string) *NodeStatus {
	status, judged := look.statuses[name]
	if !judged {
		passed := slices.ContainsFunc(look.feasible, func(info fwk.NodeInfo) bool { return info.Node().Name == name })
		if look.absent == nil || passed {
			return nil
		}
		return &NodeStatus{Rejection: rejection(look.absent), Absent: true}
	}
	told := &NodeStatus{Plugin: status.Plugin(), Rejection: rejection(status)}
	if r.someWait {
		return told
	}
	every := map[string]Rejection{}
	info, _ := r.info(name)
	for _, one := range r.profile.ListPlugins().Filter.Enabled {
		if look.state.GetSkipFilterPlugins().Has(one.Name) {
			continue
		}
		if no := r.plugins[one.Name].(framework.FilterPlugin).Filter(r.ctx, look.state, pod, info); !no.IsSuccess() {
			every[one.Name] = rejection(no)
		}
	}
	if len(every) > 1 {
		told.All = every
	}
	return told
}

func rejection(status *fwk.Status) Rejection {
	return Rejection{Code: status.Code().String(), Reasons: ordered(status.Reasons())}
}

// ordered puts the names of further resources, which come from a map, in order.
func ordered(reasons []string) []string {
	rank := func(reason string) int {
		first := []string{"Too many pods", resourceShortage + "cpu", resourceShortage + "memory", resourceShortage + "ephemeral-storage"}
		if at := slices.Index(first, reason); at >= 0 {
			return at
		}
		return len(first)
	}
	if len(reasons) == 0 || !(reasons[0] == "Too many pods" || strings.HasPrefix(reasons[0], resourceShortage)) {
		return reasons
	}
	sorted := slices.Clone(reasons)
	sort.Slice(sorted, func(i, j int) bool {
		if a, b := rank(sorted[i]), rank(sorted[j]); a != b {
			return a < b
		}
		return sorted[i] < sorted[j]
	})
	return sorted
}

// score asks each plugin for its raw and normalised scores, and holds them against what the framework makes of them.
func (r *replay) score(pod *v1.Pod, look *Look, result *Result) error {
	if status := r.profile.RunPreScorePlugins(r.ctx, look.state, pod, look.feasible); !status.IsSuccess() {
		return status.AsError()
	}
	weighted, status := r.profile.RunScorePlugins(r.ctx, look.state, pod, look.feasible)
	if !status.IsSuccess() {
		return status.AsError()
	}
	skip := look.state.GetSkipScorePlugins()
	score := &Score{Total: make([]int64, len(look.feasible))}
	score.Plugins, score.Weights, score.Raw, score.Norm = []string{}, []int64{}, [][]int64{}, [][]int64{}
	for _, one := range r.profile.ListPlugins().Score.Enabled {
		if skip.Has(one.Name) {
			score.Skip = append(score.Skip, one.Name)
			continue
		}
		raw, norm, err := r.scoreBy(r.plugins[one.Name].(framework.ScorePlugin), pod, look)
		if err != nil {
			return err
		}
		for column, value := range norm {
			score.Total[column] += value * int64(one.Weight)
			for _, their := range weighted[column].Scores {
				if their.Name == one.Name && their.Score != value*int64(one.Weight) {
					return fmt.Errorf("%s: %s: the framework has %d for %d", key(pod), one.Name, their.Score, value)
				}
			}
		}
		score.Plugins = append(score.Plugins, one.Name)
		score.Weights = append(score.Weights, int64(one.Weight))
		score.Raw, score.Norm = append(score.Raw, raw), append(score.Norm, norm)
	}
	best := slices.Max(score.Total)
	for column, total := range score.Total {
		if total != weighted[column].TotalScore {
			return fmt.Errorf("%s: the framework has total %d for %d", key(pod), weighted[column].TotalScore, total)
		}
		if total == best {
			result.Max = append(result.Max, result.Feasible[column])
		}
	}
	sort.Ints(result.Max)
	sort.Strings(score.Skip)
	result.Score = score
	return nil
}

func (r *replay) scoreBy(plugin framework.ScorePlugin, pod *v1.Pod, look *Look) (raw, norm []int64, err error) {
	list := make(framework.NodeScoreList, len(look.feasible))
	for column, info := range look.feasible {
		value, status := plugin.Score(r.ctx, look.state, pod, info)
		if !status.IsSuccess() {
			return nil, nil, status.AsError()
		}
		raw = append(raw, value)
		list[column] = framework.NodeScore{Name: info.Node().Name, Score: value}
	}
	if more := plugin.ScoreExtensions(); more != nil {
		if status := more.NormalizeScore(r.ctx, look.state, pod, list); !status.IsSuccess() {
			return nil, nil, status.AsError()
		}
	}
	for _, one := range list {
		norm = append(norm, one.Score)
	}
	return raw, norm, nil
}

func (r *replay) numbers(infos []fwk.NodeInfo) []int {
	numbers := make([]int, len(infos))
	for at, info := range infos {
		numbers[at] = r.index[info.Node().Name]
	}
	return numbers
}
