// The recordings' JSON: a case as it is read, a result as it is written.

package main

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Case is a small cluster and a queue of pods. Whatever else a case holds is passed on as it is.
type Case struct {
	Name       string          `json:"name"`
	Config     json.RawMessage `json:"config"`
	Percentage *int32          `json:"percentageOfNodesToScore"`
	Objects    Objects         `json:"objects"`
	Bound      []*v1.Pod       `json:"pods"`
	Nominated  []*v1.Pod       `json:"nominated"`
	Pending    []*v1.Pod       `json:"pending"`
}

// Objects are the kinds that the scheduler's plugins read.
type Objects struct {
	Nodes       []*v1.Node                      `json:"nodes"`
	Namespaces  []*v1.Namespace                 `json:"namespaces"`
	Services    []*v1.Service                   `json:"services"`
	Controllers []*v1.ReplicationController     `json:"replicationControllers"`
	ReplicaSets []*appsv1.ReplicaSet            `json:"replicaSets"`
	StatefulSet []*appsv1.StatefulSet           `json:"statefulSets"`
	Volumes     []*v1.PersistentVolume          `json:"persistentVolumes"`
	Claims      []*v1.PersistentVolumeClaim     `json:"persistentVolumeClaims"`
	Classes     []*storagev1.StorageClass       `json:"storageClasses"`
	CSINodes    []*storagev1.CSINode            `json:"csiNodes"`
	CSIDrivers  []*storagev1.CSIDriver          `json:"csiDrivers"`
	Capacities  []*storagev1.CSIStorageCapacity `json:"csiStorageCapacities"`
	Attachments []*storagev1.VolumeAttachment   `json:"volumeAttachments"`
	Budgets     []*policyv1.PodDisruptionBudget `json:"podDisruptionBudgets"`
}

// served are the objects that a fake API server holds: all but nodes, which go into the scheduler's cache in their order.
func (o *Objects) served() []runtime.Object {
	var all []runtime.Object
	all = appended(all, o.Namespaces)
	all = appended(all, o.Services)
	all = appended(all, o.Controllers)
	all = appended(all, o.ReplicaSets)
	all = appended(all, o.StatefulSet)
	all = appended(all, o.Volumes)
	all = appended(all, o.Claims)
	all = appended(all, o.Classes)
	all = appended(all, o.CSINodes)
	all = appended(all, o.CSIDrivers)
	all = appended(all, o.Capacities)
	all = appended(all, o.Attachments)
	return appended(all, o.Budgets)
}

func appended[T interface {
	runtime.Object
	metav1.Object
}](all []runtime.Object, more []T) []runtime.Object {
	for _, one := range more {
		if one.GetResourceVersion() == "" {
			one.SetResourceVersion("1") // what is assumed later must carry a version
		}
		all = append(all, one)
	}
	return all
}

// stored gives pods what an API server gives every pod: a namespace, a uid, quantities in canonical form. Of others the
// scheduler adds some twice, since the copies of a "1.5Gi" share a pointer.
func stored(pods []*v1.Pod) {
	for _, pod := range pods {
		if pod.Namespace == "" {
			pod.Namespace = "default"
		}
		if pod.UID == "" {
			pod.UID = types.UID(key(pod))
		}
		canonical(pod.Spec.Overhead)
		if pod.Spec.Resources != nil {
			canonical(pod.Spec.Resources.Requests)
		}
		for _, containers := range [][]v1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
			for _, one := range containers {
				canonical(one.Resources.Requests)
			}
		}
		for _, statuses := range [][]v1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
			for _, one := range statuses {
				canonical(one.AllocatedResources)
				if one.Resources != nil {
					canonical(one.Resources.Requests)
				}
			}
		}
	}
}

func canonical(amounts v1.ResourceList) {
	for name, amount := range amounts {
		amounts[name] = resource.MustParse(amount.String())
	}
}

func key(pod *v1.Pod) string { return pod.Namespace + "/" + pod.Name }

// decodeCase reads one case; its pods are as `stored` leaves them afterwards.
func decodeCase(data []byte) (*Case, error) {
	var c Case
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("case %q: %w", c.Name, err)
	}
	stored(c.Bound)
	stored(c.Nominated)
	stored(c.Pending)
	return &c, nil
}

// Result is what was decided about one pod. Absent and empty mean the same.
type Result struct {
	Pod             string        `json:"pod"`
	Outcome         string        `json:"outcome"`
	PreFilter       *PreFilter    `json:"preFilter,omitempty"`
	Filter          []*NodeStatus `json:"filter,omitempty"`
	ViaNominated    bool          `json:"viaNominated,omitempty"`
	Start           *int          `json:"start,omitempty"`
	Visited         []int         `json:"visited,omitempty"`
	Feasible        []int         `json:"feasible"`
	Score           *Score        `json:"score,omitempty"`
	Max             []int         `json:"max,omitempty"`
	Chosen          string        `json:"chosen,omitempty"`
	FitError        string        `json:"fitError,omitempty"`
	Message         string        `json:"message,omitempty"`
	PostFilterError bool          `json:"postFilterError,omitempty"`
	Preemption      *Preemption   `json:"preemption,omitempty"`
	Retry           *Result       `json:"retry,omitempty"`
}

// PreFilter is who said Skip, who refused, and the node names that are left.
type PreFilter struct {
	Code    string   `json:"code"`
	Plugin  string   `json:"plugin,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
	Nodes   []string `json:"nodes,omitempty"`
	Skip    []string `json:"skip,omitempty"`
}

// Rejection is one plugin's No.
type Rejection struct {
	Code    string   `json:"code"`
	Reasons []string `json:"reasons"`
}

// NodeStatus is the first No on a node, and every plugin's if more than one says it.
type NodeStatus struct {
	Plugin string `json:"plugin,omitempty"`
	Rejection
	Absent bool                 `json:"absent,omitempty"`
	All    map[string]Rejection `json:"all,omitempty"`
}

// Score holds one row a plugin, one column a feasible node.
type Score struct {
	Plugins []string  `json:"plugins"`
	Weights []int64   `json:"weights"`
	Skip    []string  `json:"skip,omitempty"`
	Raw     [][]int64 `json:"raw"`
	Norm    [][]int64 `json:"norm"`
	Total   []int64   `json:"total"`
}

// Preemption is what would leave where, and what was chosen.
type Preemption struct {
	Eligible   bool        `json:"eligible"`
	Candidates []Candidate `json:"candidates,omitempty"`
	Ties       []string    `json:"ties,omitempty"`
	Nominated  string      `json:"nominated,omitempty"`
	Victims    []string    `json:"victims,omitempty"`
	Cleared    []string    `json:"clearedNominations,omitempty"`
}

// Candidate is a node with its victims, the most important first.
type Candidate struct {
	Node       string   `json:"node"`
	Victims    []string `json:"victims"`
	Violations int64    `json:"pdbViolations"`
}
