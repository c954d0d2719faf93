"""The fixed tables of the sample's cloud: zones, racks, host classes, flavors, reserves.

Data only. What stands where and who is placed on it is planned in ``cloud_plan`` and ``cluster_plan``.
"""

from __future__ import annotations

from dataclasses import dataclass

CLOUD = "north"
REGION = "north"
ZONES = ("az1", "az2", "az3")
RACKS = {"r11": "az1", "r12": "az1", "r21": "az2", "r22": "az2", "r31": "az3", "r32": "az3"}  # rack -> zone

DISABLED_HOST = "cmp-r22-05"  # being emptied for maintenance: COMPUTE_STATUS_DISABLED
SMARTNIC_HOSTS = ("cmp-r12-09", "cmp-r22-09", "cmp-r32-09")
MEMORY_TARGET = (0.865, 0.965)  # share of a hypervisor's memory that is allocated, drawn per host
CPU_USED_TARGET = 0.18  # measured CPU over the threads of all hypervisors, mean of the day


@dataclass(frozen=True)
class HostClass:
    """Hardware of one class of host; reserved and ratio as Nova's configuration has them."""

    threads: int
    memory_mb: int
    reserved_mb: int
    disk_gb: int
    cpu_ratio: float
    traits: tuple[str, ...] = ()


_X86 = ("HW_CPU_X86_AVX2", "HW_CPU_X86_SSE42")
HOST_CLASSES = {
    "std": HostClass(48, 262144, 12288, 3600, 4.0, _X86),
    "mem": HostClass(64, 524288, 16384, 3600, 2.0, (*_X86, "HW_CPU_X86_AVX512F", "CUSTOM_MEM_HOST")),
    "gpu": HostClass(64, 262144, 12288, 3600, 1.0, (*_X86, "HW_CPU_X86_AVX512F", "CUSTOM_GPU_HOST")),
    "control": HostClass(32, 196608, 0, 900, 1.0),
    "ironic": HostClass(64, 393216, 0, 1800, 1.0),
}
RACK_LAYOUT = ("std",) * 7 + ("mem",) * 2 + ("gpu",)  # the ten hypervisors of every rack, in order
VGPU_CARDS = ("pci_0000_41_00_0", "pci_0000_81_00_0")  # child providers of a gpu host
VGPU_PER_CARD = 4
VGPU_TRAIT = "CUSTOM_VGPU_A40"

IRONIC_CLASS = "CUSTOM_BAREMETAL_LARGE"
# rack -> state: used nodes run Kubernetes directly, one is free, one is broken
IRONIC_NODES = {"r11": "used", "r12": "used", "r21": "used", "r22": "free", "r31": "used", "r32": "maintenance"}


@dataclass(frozen=True)
class Flavor:
    name: str
    vcpus: int
    ram_mb: int
    disk_gb: int
    extra_specs: tuple[tuple[str, str], ...] = ()


_MEM = (("trait:CUSTOM_MEM_HOST", "required"),)
_GPU = (("resources:VGPU", "1"), (f"trait:{VGPU_TRAIT}", "required"))
_H100 = (("resources:VGPU", "1"), ("trait:CUSTOM_VGPU_H100", "required"))
_BARE = (
    (f"resources:{IRONIC_CLASS}", "1"),
    ("resources:VCPU", "0"),
    ("resources:MEMORY_MB", "0"),
    ("resources:DISK_GB", "0"),
)
FLAVORS = {
    flavor.name: flavor
    for flavor in (
        Flavor("k8s.cp", 4, 16384, 60),
        Flavor("k8s.std", 8, 32768, 100),
        Flavor("k8s.large", 16, 65536, 100),
        Flavor("k8s.mem", 16, 131072, 100, _MEM),
        Flavor("k8s.gpu", 16, 98304, 200, _GPU),
        Flavor("k8s.h100", 16, 98304, 200, _H100),
        Flavor("m.small", 2, 8192, 40),
        Flavor("m.medium", 4, 16384, 40),
        Flavor("m.large", 8, 32768, 80),
        Flavor("m.xlarge", 16, 65536, 80),
        Flavor("c.xlarge", 16, 32768, 80),
        Flavor("r.large", 8, 65536, 80),
        Flavor("r.xlarge", 16, 131072, 80),
        Flavor("r.2xlarge", 32, 262144, 160, _MEM),
        Flavor("net.medium", 4, 8192, 40, (("trait:CUSTOM_SMARTNIC", "required"),)),
        Flavor("bm.large", 64, 393216, 1800, _BARE),
    )
}

LEGACY_PROJECTS = ("erp", "archive", "telecom", "office", "gis")
LEGACY_ROLES = {
    "erp": ("app", "db", "report", "batch"),
    "archive": ("db", "index", "scan"),
    "telecom": ("billing", "probe", "gw"),
    "office": ("mail", "file", "vdi", "print"),
    "gis": ("tiles", "render", "db"),
}
LEGACY_IMAGES = ("rhel-7.9", "rhel-8.4", "windows-server-2016", "windows-server-2019", "sles-12-sp5", "debian-10")
NODE_IMAGE = "ubuntu-24.04-kube-v1.34.1"
KUBELET_VERSION = "v1.34.1"
MAX_PODS = 110


def kube_reserved(vcpus: int, ram_mb: int) -> tuple[int, int]:
    """(millicores, MiB) that a kubelet of the sample keeps from its pods: kube-reserved plus the eviction threshold."""
    return 80 + 10 * vcpus, 512 + ram_mb // 25 + 100
