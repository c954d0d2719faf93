"""Heat templates expanded: stacks as Magnum and Solum write them, by hand; functions; limits; what is refused."""

import gzip
import json
import textwrap
from pathlib import Path

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.openstack.conformance import replay
from binwright.openstack.dumps import read_dump
from binwright.openstack.heat.values import Budget, Scope, Unknown

RECORDING = Path(__file__).parents[1] / "conformance" / "openstack" / "heat.json.gz"
CLUSTER = """
heat_template_version: 2018-08-31
description: a cluster, the way Magnum builds one
parameters:
  number_of_masters: {type: number, default: 3}
  number_of_minions: {type: number}
  master_flavor: {type: string, default: m1.small}
  minion_flavor: {type: string, default: m1.large}
  server_image: {type: string}
  worker_volume_size: {type: number, default: 0}
  docker_volume_size: {type: number, default: 0}
  availability_zone: {type: string, default: ""}
  nodes_affinity_policy: {type: string, default: soft-anti-affinity}
  ssh_key_name: {type: string}
conditions:
  has_workers: {not: {equals: [{get_param: number_of_minions}, 0]}}
resources:
  network: {type: OS::Neutron::Net}
  secgroup: {type: OS::Neutron::SecurityGroup}
  master_group:
    type: OS::Nova::ServerGroup
    properties: {policies: [{get_param: nodes_affinity_policy}]}
  worker_group:
    type: OS::Nova::ServerGroup
    condition: has_workers
    properties: {policies: [{get_param: nodes_affinity_policy}]}
  lb: {type: "Magnum::Optional::LoadBalancer"}
  api: {type: "OS::Octavia::LoadBalancer"}
  kube_masters:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: number_of_masters}
      resource_def:
        type: node.yaml
        properties:
          name: {list_join: ["-", [{get_param: "OS::stack_name"}, master, "%index%"]]}
          flavor: {get_param: master_flavor}
          image: {get_param: server_image}
          group: {get_resource: master_group}
          user_data: {str_replace: {template: {get_file: master.sh}, params: {$IP: {get_attr: [lb, address]}}}}
  kube_minions:
    type: OS::Heat::ResourceGroup
    condition: has_workers
    depends_on: kube_masters
    properties:
      count: {get_param: number_of_minions}
      resource_def:
        type: node.yaml
        properties:
          name: {list_join: ["-", [{get_param: "OS::stack_name"}, node, "%index%"]]}
          flavor: {get_param: minion_flavor}
          image: {get_param: server_image}
          group: {get_resource: worker_group}
          volume_size: {get_param: worker_volume_size}
          docker_size: {get_param: docker_volume_size}
          availability_zone: {get_param: availability_zone}
          user_data: ""
outputs:
  ip: {value: {get_attr: [lb, address]}}
"""
NODE = """
heat_template_version: 2018-08-31
parameters:
  name: {type: string}
  flavor: {type: string}
  image: {type: string}
  group: {type: string}
  volume_size: {type: number, default: 0}
  docker_size: {type: number, default: 0}
  availability_zone: {type: string, default: ""}
  user_data: {type: string}
conditions:
  image_based: {equals: [{get_param: volume_size}, 0]}
  volume_based: {not: image_based}
  docker: {not: {equals: [{get_param: docker_size}, 0]}}
resources:
  volume:
    type: OS::Cinder::Volume
    condition: volume_based
    properties: {image: {get_param: image}, size: {get_param: volume_size}}
  server:
    type: OS::Nova::Server
    condition: image_based
    properties:
      name: {get_param: name}
      flavor: {get_param: flavor}
      image: {get_param: image}
      user_data: {get_param: user_data}
      networks: {list_concat: [[{port: {get_resource: eth0}}], {if: [image_based, [], [{port: x}]]}]}
      scheduler_hints: {group: {get_param: group}}
      availability_zone: {get_param: availability_zone}
  server-bfv:
    type: OS::Nova::Server
    condition: volume_based
    properties:
      name: {get_param: name}
      flavor: {get_param: flavor}
      scheduler_hints: {group: {get_param: group}}
      availability_zone: {get_param: availability_zone}
      block_device_mapping_v2: [{boot_index: 0, volume_id: {get_resource: volume}}]
  eth0:
    type: OS::Neutron::Port
    properties: {network: {get_attr: [x, y]}}
  docker:
    type: Magnum::Optional::Cinder::Volume
    condition: docker
    properties: {size: {get_param: docker_size}}
  attach:
    type: OS::Cinder::VolumeAttachment
    properties: {instance_uuid: {if: [volume_based, {get_resource: server-bfv}, {get_resource: server}]}}
"""
ENVIRONMENT = """
parameters:
  number_of_minions: 2
  server_image: fedora
resource_registry:
  "Magnum::Optional::Cinder::Volume": "OS::Cinder::Volume"
  "Magnum::Optional::LoadBalancer": "OS::Heat::None"
"""


def stack(files, **changes):
    """The cloud of some files beside a list of flavors; texts are dedented."""
    blobs = [Blob("c/flavors.json", b'[{"id": "1", "name": "m1.small", "vcpus": 1, "ram": 512, "disk": 1}]')]
    for name, text in files.items():
        text = textwrap.dedent(text)
        for old, new in changes.items():
            text = text.replace(old, new)
        blobs.append(Blob(f"c/{name}", text.encode()))
    return read_dump("c", blobs)


def one(resources, parameters="", name="s.yaml", **more):
    """A stack of one template with these resources."""
    text = "heat_template_version: 2021-04-16\n" + textwrap.dedent(parameters) + "resources:\n"
    return stack({name: text + textwrap.indent(textwrap.dedent(resources), "  ")} | more)


def magnum(environment=ENVIRONMENT, **changes):
    return stack({"k8s.yaml": CLUSTER, "node.yaml": NODE, "env.yaml": environment}, **changes)


def test_a_cluster_as_magnum_builds_it():
    cloud = magnum()
    assert [(wish.name, wish.flavor_ref, wish.hints, wish.image, wish.ports) for wish in cloud.wishes] == [
        ("k8s-master-0", "m1.small", {"group": "k8s.master_group"}, "fedora", ("k8s.kube_masters.0.eth0",)),
        ("k8s-master-1", "m1.small", {"group": "k8s.master_group"}, "fedora", ("k8s.kube_masters.1.eth0",)),
        ("k8s-master-2", "m1.small", {"group": "k8s.master_group"}, "fedora", ("k8s.kube_masters.2.eth0",)),
        ("k8s-node-0", "m1.large", {"group": "k8s.worker_group"}, "fedora", ("k8s.kube_minions.0.eth0",)),
        ("k8s-node-1", "m1.large", {"group": "k8s.worker_group"}, "fedora", ("k8s.kube_minions.1.eth0",)),
    ]
    assert [(group.id, group.policy) for group in cloud.server_groups] == [
        ("k8s.master_group", "soft-anti-affinity"),
        ("k8s.worker_group", "soft-anti-affinity"),
    ]
    assert cloud.volume_wishes == []
    assert len(cloud.ports) == 5
    assert cloud.wishes[3].where == "c/k8s.yaml: resource kube_minions[0].server"
    # everything that matters was understood, but for a type that may make servers of its own
    assert cloud.not_understood == [
        ("Heat resource types that are not known", "c/k8s.yaml: resource api: OS::Octavia::LoadBalancer")
    ]


def test_its_parameters_change_it():
    more = ENVIRONMENT.replace("minions: 2", "minions: 1") + "parameter_defaults: {worker_volume_size: 30}\n"
    cloud = magnum(more.replace("server_image", "docker_volume_size: 25\n  availability_zone: az1\n  server_image"))
    node = cloud.wishes[3]
    assert (node.name, node.from_volume, node.zone, node.image, node.ports) == ("k8s-node-0", True, "az1", None, ())
    assert [(volume.name, volume.size) for volume in cloud.volume_wishes] == [
        ("k8s-kube_minions-0-volume", 30),
        ("k8s-kube_minions-0-docker", 25),
    ]
    assert len(magnum(ENVIRONMENT.replace("minions: 2", "minions: 0")).server_groups) == 1


def test_what_no_parameter_tells_is_listed_or_refused():
    cloud = magnum(ENVIRONMENT.replace("server_image: fedora", "ssh_key_name: mine"))
    assert ("Heat parameters without a value", "c/k8s.yaml: resource kube_masters[0].server: image: server_image") in (
        cloud.not_understood
    )
    with pytest.raises(
        InputError, match=r"c/k8s\.yaml: resource worker_group: condition: parameter 'number_of_minions'"
    ):
        magnum(ENVIRONMENT.replace("number_of_minions: 2", "ssh_key_name: mine"))


def test_a_key_that_stands_twice():
    """Magnum's own template repeats a parameter; the last one counts. In other files it is refused."""
    parameters = "parameters:\n  p: {default: 1}\n  p: {default: two}\n"
    cloud = one("a: {type: OS::Nova::Server, properties: {flavor: f, name: {get_param: p}}}", parameters)
    assert cloud.wishes[0].name == "two"
    with pytest.raises(InputError, match=r"requests\.yaml: line 2: the key 'name' stands twice"):
        stack({"requests.yaml": "- name: a\n  name: b\n"})


def test_a_nested_stack_is_given_what_nobody_knows():
    nested = """
        heat_template_version: 1
        parameters: {b: {type: boolean}, n: {type: number}, j: {type: json}}
        resources: {a: {type: OS::Nova::Server, properties: {flavor: f}}}
    """
    cloud = one(
        "a: {type: n.yaml, properties: {b: {get_attr: [x]}, n: {get_param: n}, j: {k: {get_file: x}}}}",
        "parameters: {n: {type: number}}\n",
        **{"n.yaml": nested},
    )
    assert [wish.where for wish in cloud.wishes] == ["c/s.yaml: resource a.a"]
    assert cloud.not_understood == []


def test_an_application_as_solum_deploys_it():
    cloud = one(
        """
        port:
          type: OS::Neutron::Port
          properties: {network: {get_param: net}, qos_policy: gold}
        server:
          type: OS::Nova::Server
          properties:
            name: {str_replace: {template: app-NAME-web, params: {NAME: {get_param: app}}}}
            flavor: {get_param: flavor}
            image: {get_param: image}
            key_name: {get_param: key}
            networks: [{port: {get_resource: port}}]
            user_data_format: RAW
            user_data: {str_replace: {template: {get_file: run.sh}, params: {DB: {get_attr: [db, ip]}}}}
        volume:
          type: OS::Cinder::Volume
          properties: {size: 10, volume_type: fast, scheduler_hints: {same_host: v1}}
        ip:
          type: OS::Neutron::FloatingIP
        """,
        """
        parameters:
          app: {type: string, default: shop}
          flavor: {type: string, default: m1.small}
          image: {type: string, default: cirros}
          net: {type: string, default: private}
          key: {type: string}
        """,
        name="solum.yaml",
    )
    (wish,), (port,), (volume,) = cloud.wishes, cloud.ports, cloud.volume_wishes
    assert (wish.name, wish.flavor_ref, wish.image, wish.ports) == ("app-shop-web", "m1.small", "cirros", (port.id,))
    assert (port.network, port.qos_policy) == ("private", "gold")
    assert (volume.name, volume.size, volume.type, volume.hints) == ("solum-volume", 10, "fast", {"same_host": "v1"})
    assert cloud.not_understood == []


def test_groups_of_groups_and_scaling_groups():
    cloud = one(
        """
        sg: {type: OS::Nova::ServerGroup, properties: {rules: {max_server_per_host: "2"}}}
        racks:
          type: OS::Heat::ResourceGroup
          properties:
            count: 2
            index_var: "$R"
            resource_def:
              type: OS::Heat::ResourceGroup
              properties:
                count: "3"
                resource_def:
                  type: OS::Nova::Server
                  properties: {name: "r$R-n%index%", flavor: f, scheduler_hints: {group: {get_resource: sg}}}
        web:
          type: OS::Heat::AutoScalingGroup
          properties:
            min_size: 1
            max_size: 9
            desired_capacity: 2
            resource: {type: OS::Nova::Server, properties: {flavor: f}}
        one:
          type: OS::Heat::ResourceGroup
          properties: {resource_def: {type: OS::Nova::Server, properties: {flavor: f}}}
        """
    )
    assert [wish.name for wish in cloud.wishes] == [
        *(f"r{rack}-n{node}" for rack in range(2) for node in range(3)),
        *("s-web-0", "s-web-1", "s-one-0"),
    ]
    assert {wish.hints.get("group") for wish in cloud.wishes} == {"s.sg", None}
    (group,) = cloud.server_groups
    assert (group.policy, group.most) == ("anti-affinity", 2)


def test_a_server_that_makes_its_own_volume():
    cloud = one(
        """
        a:
          type: OS::Nova::Server
          properties:
            flavor: f
            block_device_mapping_v2:
              - {boot_index: "0", image: cirros, volume_size: 20, volume_type: ssd}
              - {boot_index: -1, volume_id: other}
        b: {type: OS::Nova::Server, properties: {flavor: f, image: i, block_device_mapping: [{volume_id: v}]}}
        c: {type: OS::Nova::Server, properties: {flavor: f, block_device_mapping: [{volume_id: v}]}}
        """
    )
    assert [(wish.name, wish.from_volume) for wish in cloud.wishes] == [("s-a", True), ("s-b", False), ("s-c", True)]
    assert [(volume.name, volume.size, volume.type) for volume in cloud.volume_wishes] == [("s-a-root", 20, "ssd")]


def test_a_flavor_of_the_stack():
    cloud = one(
        """
        f: {type: OS::Nova::Flavor, properties: {ram: 512, vcpus: 2, disk: 5, extra_specs: {"hw:x": 1}}}
        a: {type: OS::Nova::Server, properties: {flavor: {get_resource: f}}}
        """
    )
    flavor = cloud.flavors[-1]
    assert (flavor.id, flavor.vcpus, flavor.memory_mb, flavor.root_gb, flavor.extra_specs) == (
        "s.f",
        2,
        512,
        5,
        {"hw:x": "1"},
    )
    assert cloud.wishes[0].flavor_ref == "s.f"


def test_what_only_a_running_stack_knows_is_listed():
    cloud = one(
        """
        a: {type: OS::Nova::Server, properties: {flavor: {get_attr: [x, flavor]}}}
        b: {type: OS::Nova::Server, properties: {flavor: f, availability_zone: {yaql: {expression: x}}}}
        c: {type: OS::Cinder::Volume, properties: {snapshot_id: s}}
        d: {type: OS::Nova::Server, condition: {equals: [{get_attr: [a, b]}, 1]}, properties: {flavor: f}}
        e: {type: "My::Own::Type"}
        g: {type: missing.yaml}
        """
    )
    assert [wish.name for wish in cloud.wishes] == ["s-b", "s-d"]
    assert cloud.not_understood == [
        ("Heat functions that only a running stack can evaluate", "c/s.yaml: resource a: flavor: get_attr"),
        ("Heat functions that only a running stack can evaluate", "c/s.yaml: resource b: availability_zone: yaql"),
        ("Heat volumes whose size their image, snapshot or source decides", "c/s.yaml: resource c: snapshot_id"),
        ("Heat conditions that only a running stack can evaluate: taken as true", "c/s.yaml: resource d: get_attr"),
        ("Heat resource types that are not known", "c/s.yaml: resource e: My::Own::Type"),
        ("Heat resource types that are not known", "c/s.yaml: resource g: missing.yaml"),
    ]


SERVER = "{type: OS::Nova::Server, properties: {flavor: f}}"


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("a: 5", "resource a: 5 is not an object"),
        ("a: {properties: {}}", "resource a: type: missing"),
        ("a: {type: OS::Nova::Server, properties: 5}", "resource a: properties: 5 is not an object"),
        ("a: {type: OS::Nova::Server}", "resource a: flavor: missing"),
        ("a: {type: OS::Nova::Server, properties: {flavor: [1]}}", "resource a: flavor: a list is not a text"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {get_param: gone}}}", "a: parameter 'gone' is not defined"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {get_resource: gone}}}", "resource 'gone' is not defined"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {get_param: [[x]]}}}", "parameter a list is not defined"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {get_resource: {}}}}", "resource an object is not defined"),
        ("a: {type: OS::Nova::Server, condition: gone}", "resource a: condition 'gone' is not defined"),
        ("a: {type: OS::Nova::Server, properties: {flavor: f, networks: [5]}}", "networks: a list is not a list"),
        ("a: {type: OS::Nova::Server, properties: {flavor: f, networks: [{port: [1]}]}}", "networks: port a list"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {str_replace: x}}}", "a: str_replace: 'x' is not of"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {list_join: [1]}}}", "a: list_join: a list is not"),
        ("a: {type: OS::Nova::Server, properties: {flavor: {if: [yes]}}}", "resource a: if: a list is not of the form"),
        ("a: {type: OS::Cinder::Volume, properties: {size: big}}", "resource a: size: 'big' is not a whole number"),
        ("a: {type: OS::Cinder::Volume}", "resource a: size: missing"),
        ("a: {type: OS::Nova::ServerGroup, properties: {policies: [x]}}", "policies: a list is not one of"),
        ("a: {type: OS::Nova::ServerGroup, properties: {rules: {max_server_per_host: 0}}}", "max_server_per_host 0 is"),
        ("a: {type: OS::Heat::ResourceGroup, properties: {count: -1}}", "resource a: count: -1 is not in 0..20000"),
        ("a: {type: OS::Heat::ResourceGroup, properties: {count: 1}}", "a: resource_def: None is not an object"),
        (
            "a: {type: OS::Heat::ResourceGroup, properties: {count: 20000, resource_def: "
            "{type: OS::Heat::ResourceGroup, properties: {count: 20000, resource_def: " + SERVER + "}}}}",
            "more than 20000 resources",
        ),
    ],
)  # fmt: skip
def test_a_bad_template_is_one_line(resources, message):
    with pytest.raises(InputError) as refused:
        one(resources)
    assert message in str(refused.value)
    assert str(refused.value).startswith("c/s.yaml: ")
    assert "\n" not in str(refused.value)


def test_templates_that_nest_without_end():
    with pytest.raises(InputError, match="the templates are nested in each other, none of them is the stack"):
        one("a: {type: t.yaml}", **{"t.yaml": "heat_template_version: 1\nresources: {a: {type: s.yaml}}\n"})
    with pytest.raises(InputError, match="more than 10 stacks inside each other"):
        one("a: {type: t.yaml}", **{"t.yaml": "heat_template_version: 1\nresources: {a: {type: t.yaml}}\n"})
    with pytest.raises(InputError, match=r"a second template of the name s\.yaml"):
        one("a: {type: OS::Heat::None}", **{"d/s.yaml": "heat_template_version: 1\n"})


def test_a_few_aliases_do_not_become_a_million_values():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    text = "heat_template_version: 1\nparameters: {p: {default: 1}}\n" + "".join(f"{line}\n" for line in lines)
    text += "resources:\n  a: {type: OS::Nova::Server, properties: {flavor: f, scheduler_hints: {query: *a8}}}\n"
    with pytest.raises(InputError, match="larger than 1000000 values when expanded"):
        stack({"s.yaml": text})


@pytest.mark.parametrize("section", ["parameters", "env"])
@pytest.mark.parametrize("kind", ["json", "string", "comma_delimited_list", "boolean", "number"])
def test_nor_do_they_in_parameters(section, kind):
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    value = textwrap.indent("\n".join(lines), "      ")
    use = "a: {type: OS::Nova::Server, properties: {flavor: f, scheduler_hints: {query: {get_param: p}}}}"
    own = f"\n    default:\n{value}" if section == "parameters" else ""
    parameters = f"parameters:\n  p:\n    type: {kind}{own}\n"
    more = {} if own else {"env.yaml": f"parameters:\n  p:\n{value}\n"}
    with pytest.raises(InputError, match=r"larger than 1000000 values|is not a (list of texts|boolean|number)"):
        one(use, parameters, **more)


def test_nor_do_they_in_definitions_of_groups():
    lines = ["d0: &d0 {type: OS::Heat::None}"]
    group = "type: OS::Heat::ResourceGroup, properties: {count: 2"
    lines += [f"d{n}: &d{n} {{{group}, resource_def: *d{n - 1}, resource: *d{n - 1}}}}}" for n in range(1, 50)]
    text = "heat_template_version: 1\n" + "".join(f"{line}\n" for line in lines) + "resources: {a: *d49}\n"
    with pytest.raises(InputError, match=r"more than 20000 resources|larger than 1000000 values|nested too deeply"):
        stack({"s.yaml": text})


def test_a_text_that_doubles_without_end():
    inner = "x" * 100
    for _ in range(20):
        inner = {"str_replace": {"template": "A" * 50, "params": {"A": inner}}}
    with pytest.raises(InputError, match="str_replace: a text of more than 1000000 characters"):
        scope().value(inner)
    deep = "x"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(InputError, match="nested too deeply"):
        scope().value(deep)


def scope(**parameters):
    conditions = {"yes": True, "no": {"not": "yes"}, "loop": {"not": "loop"}, "maybe": {"equals": [{"get_attr": 1}, 2]}}
    return Scope("s.yaml: resource r", parameters, {"r": "s.r"}, conditions, Budget())


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"get_param": "p"}, {"a": [1, 2]}),
        ({"get_param": ["p", "a", 1]}, 2),
        ({"get_param": ["p", "a", 9]}, ""),
        ({"str_split": [",", None]}, None),
        ({"str_replace": {"template": "ab", "params": {"a": {"k": [1]}}}}, '{"k": [1]}b'),
        ({"str_replace": {"template": "a", "params": {"a": {"get_attr": []}}}}, Unknown("get_attr")),
        ({"get_resource": "r"}, "s.r"),
        ({"str_replace": {"template": "a aa b", "params": {"a": "b", "aa": "a", "b": None}}}, "b a "),
        ({"str_replace": {"template": "x1", "params": {"x": 2, "1": True}}}, "2True"),
        ({"list_join": [", ", ["a", "b"], None, [{"k": 1}, None]]}, 'a, b, {"k": 1}, '),
        ({"str_split": [",", "a,b"]}, ["a", "b"]),
        ({"str_split": [",", "a,b", 1]}, "b"),
        ({"if": ["yes", 1, 2]}, 1),
        ({"if": ["no", 1, 2]}, 2),
        ({"if": [{"or": ["no", {"equals": [1, 1]}]}, 1, 2]}, 1),
        ({"if": [{"and": ["yes", "no"]}, 1]}, None),
        ({"if": [{"and": ["maybe", "no"]}, 1, 2]}, 2),
        ([1, {"if": ["no", 2]}, {"k": {"if": ["no", 2]}, "l": {"if": ["yes", 3]}}], [1, {"l": 3}]),
        ({"if": [{"contains": ["a", ["a"]]}, 1, 2]}, 1),
        ({"list_concat": [[1], [2, 1], None]}, [1, 2, 1]),
        ({"list_concat_unique": [[1], [2, 1]]}, [1, 2]),
        ({"contains": ["a", "cab"]}, True),
        ({"get_file": "x"}, Unknown("get_file")),
        ({"list_join": ["", [{"get_attr": ["a"]}]]}, Unknown("get_attr")),
        ({"str_replace": {"template": {"digest": []}, "params": {}}}, Unknown("digest")),
        ({"if": ["maybe", 1, 2]}, Unknown("get_attr")),
        ({"plain": {"get_resource": "r"}, "other": [1]}, {"plain": "s.r", "other": [1]}),
    ],
)
def test_functions(data, value):
    assert scope(p={"a": [1, 2]}).value(data) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"if": ["loop", 1, 2]}, "condition 'loop' depends on itself"),
        ({"if": [5, 1, 2]}, "condition: 5 is not of the form"),
        ({"if": [{"equals": [1]}, 1, 2]}, "equals: a list is not of the form"),
        ({"if": [{"and": ["yes"]}, 1, 2]}, "and: a list is not of the form"),
        ({"str_split": ["", "a"]}, "str_split: a list is not of the form"),
        ({"list_concat": [5]}, "list_concat: 5 is not of the form"),
        ({"list_join": [",", 5]}, "list_join: 5 is not of the form"),
        ({"str_replace": {"template": ["x"], "params": {"x": 1}}}, "str_replace: an object is not of the form"),
        ({"list_join": [",", [5]]}, "list_join: 5 is not of the form"),
        ({"contains": ["a", 5]}, "contains: 5 is not of the form"),
    ],
)
def test_functions_that_are_used_wrongly(data, message):
    with pytest.raises(InputError, match=f"s.yaml: resource r: {message}"):
        scope().value(data)


def test_recorded_values_of_the_real_heat():
    document = json.loads(gzip.decompress(RECORDING.read_bytes()))
    rows = [row for case in document["cases"] for row in case["expected"]]
    assert (len(rows), sum("value" in row for row in rows)) == (1200, 969)
    report = replay(document)
    assert report.differences == []
    assert report.cases == report.exact == 40
    document["cases"][0]["expected"][0] = {"data": ["a"], "value": ["b"]}
    assert replay(document).exact == 39


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("{type: number, default: '3'}", "3"),
        ("{type: comma_delimited_list, default: 'a, b'}", '["a", " b"]'),
        ("{type: boolean, default: 'yes'}", "True"),
        ("{type: json, default: '{\"a\": 1}'}", '{"a": 1}'),
        ("{type: string, default: 7}", "7"),
    ],
)
def test_parameters_have_types(parameter, text):
    cloud = one(
        "a: {type: OS::Nova::Server, properties: {flavor: f, name: {list_join: ['', [{get_param: p}]]}}}"
        if text[0] in "{["
        else "a: {type: OS::Nova::Server, properties: {flavor: f, name: "
        "{str_replace: {template: X, params: {X: {get_param: p}}}}}}",
        f"parameters:\n  p: {parameter}\n",
    )
    assert cloud.wishes[0].name == text


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("5", "c/s.yaml: parameter p: 5 is not an object"),
        ("{type: number, default: x}", "c/s.yaml: parameter p: 'x' is not a number"),
        ("{type: boolean, default: maybe}", "c/s.yaml: parameter p: 'maybe' is not a boolean"),
        ("{type: comma_delimited_list, default: [[a]]}", "c/s.yaml: parameter p: a list is not a list of texts"),
        ("{type: json, default: '{'}", "c/s.yaml: parameter p: '{' is not JSON"),
    ],
)
def test_a_bad_parameter_is_one_line(parameter, message):
    with pytest.raises(InputError) as refused:
        one("a: {type: OS::Heat::None}", f"parameters:\n  p: {parameter}\n")
    assert str(refused.value) == message
