"""Random writes to a Placement service, of every kind that changes what a search finds, and queries to look with."""

import random
from itertools import count

TRAITS = ("CUSTOM_X", "CUSTOM_Y", "HW_CPU_X86_AVX2", "MISC_SHARES_VIA_AGGREGATE")
CLASSES = ("VCPU", "MEMORY_MB", "CUSTOM_A")
AGGREGATES = tuple(f"aaaaaaaa-0000-4000-8000-00000000000{number}" for number in range(2))
QUERIES = (
    "resources=VCPU:1,MEMORY_MB:1",
    "resources=VCPU:2&required=CUSTOM_X,!CUSTOM_Y",
    f"resources=MEMORY_MB:1&member_of={AGGREGATES[0]}",
    f"resources=VCPU:1&member_of=!{AGGREGATES[1]}",
    "resources1=VCPU:1&resources2=MEMORY_MB:2&group_policy=isolate",
    "resources=CUSTOM_A:1",
    "resources=VCPU:1&required=CUSTOM_NEW",
    "resources=CUSTOM_NEW:1",
)


class Writes:
    """Draws calls as [method, path, body, microversion]. What the service refuses leaves everything as it is."""

    def __init__(self, seed):
        self.rng = random.Random(f"placement writes {seed}")
        self.providers = []
        self.consumers = []
        self.numbers = count(1)

    def setup(self):
        """A few providers to begin with."""
        for name in TRAITS[:2]:
            yield ["PUT", f"/traits/{name}", None, "1.39"]
        yield ["PUT", "/resource_classes/CUSTOM_A", None, "1.39"]
        for _ in range(4):
            yield from self.provider()

    def calls(self, ask):
        """The next write; ask: a function that answers a call, for generations."""
        kinds = (
            self.provider, self.delete, self.inventories, self.inventory, self.traits, self.aggregates, self.claim,
            self.claim, self.release, self.move, self.reshape, self.names, self.names,
        )  # fmt: skip
        self.ask = ask
        return self.rng.choice(kinds)()

    def uuid(self, kind):
        return f"{next(self.numbers):08x}-000{kind}-4000-8000-000000000000"

    def generation(self, uuid):
        return self.ask(["GET", f"/resource_providers/{uuid}", None, "1.39"])[1].get("generation", 0)

    def stocks(self):
        return {
            name: {"total": self.rng.randint(2, 12), "allocation_ratio": self.rng.choice((1.0, 1.5))}
            for name in self.rng.sample(CLASSES, self.rng.randint(1, 3))
        }

    def provider(self):
        uuid = self.uuid(0)
        parent = self.rng.choice(self.providers) if self.providers and self.rng.random() < 0.4 else None
        self.providers.append(uuid)
        body = {"name": f"p{uuid}", "uuid": uuid} | ({"parent_provider_uuid": parent} if parent else {})
        yield ["POST", "/resource_providers", body, "1.39"]
        body = {"resource_provider_generation": 0, "inventories": self.stocks()}
        yield ["PUT", f"/resource_providers/{uuid}/inventories", body, "1.39"]

    def some(self):
        return self.rng.choice(self.providers)

    def delete(self):
        yield ["DELETE", f"/resource_providers/{self.some()}", None, "1.39"]

    def inventories(self):
        uuid = self.some()
        body = {"resource_provider_generation": self.generation(uuid), "inventories": self.stocks()}
        yield ["PUT", f"/resource_providers/{uuid}/inventories", body, "1.39"]

    def inventory(self):
        uuid, name = self.some(), self.rng.choice(CLASSES[:2])
        if self.rng.random() < 0.4:
            yield ["DELETE", f"/resource_providers/{uuid}/inventories/{name}", None, "1.39"]
        else:
            body = {"resource_provider_generation": self.generation(uuid), "total": self.rng.randint(2, 12)}
            yield ["PUT", f"/resource_providers/{uuid}/inventories/{name}", body, "1.39"]

    def traits(self):
        uuid = self.some()
        if self.rng.random() < 0.2:
            yield ["DELETE", f"/resource_providers/{uuid}/traits", None, "1.39"]
            return
        names = self.rng.sample(TRAITS, self.rng.randint(0, 3))
        body = {"resource_provider_generation": self.generation(uuid), "traits": names}
        yield ["PUT", f"/resource_providers/{uuid}/traits", body, "1.39"]

    def aggregates(self):
        """Below 1.19 a write of aggregates leaves the generation as it is."""
        uuid, names = self.some(), self.rng.sample(AGGREGATES, self.rng.randint(0, 2))
        if self.rng.random() < 0.5:
            yield ["PUT", f"/resource_providers/{uuid}/aggregates", names, "1.18"]
        else:
            body = {"resource_provider_generation": self.generation(uuid), "aggregates": names}
            yield ["PUT", f"/resource_providers/{uuid}/aggregates", body, "1.39"]

    def owner(self, generation):
        return {"project_id": "p", "user_id": "u", "consumer_generation": generation, "consumer_type": "INSTANCE"}

    def resources(self):
        return {self.rng.choice(CLASSES[:2]): self.rng.randint(1, 3)}

    def claim(self):
        consumer = self.uuid(9)
        self.consumers.append(consumer)
        body = {"allocations": {self.some(): {"resources": self.resources()}}, **self.owner(None)}
        yield ["PUT", f"/allocations/{consumer}", body, "1.39"]

    def release(self):
        """Leaves every generation as it is."""
        if self.consumers:
            consumer = self.consumers.pop(self.rng.randrange(len(self.consumers)))
            yield ["DELETE", f"/allocations/{consumer}", None, "1.39"]

    def move(self):
        if self.consumers:
            consumer = self.rng.choice(self.consumers)
            known = self.ask(["GET", f"/allocations/{consumer}", None, "1.39"])[1].get("consumer_generation")
            body = {"allocations": {self.some(): {"resources": self.resources()}}, **self.owner(known)}
            yield ["POST", "/allocations", {consumer: body}, "1.39"]

    def reshape(self):
        """A provider's inventory goes to another, with what is in use of it."""
        source, target = self.some(), self.some()
        told = [
            self.ask(["GET", f"/resource_providers/{one}/inventories", None, "1.39"])[1] for one in (source, target)
        ]
        if source == target or not all(one and one.get("inventories") for one in told):
            return
        held = self.ask(["GET", f"/resource_providers/{source}/allocations", None, "1.39"])[1]["allocations"]
        moved = told[0]["inventories"].keys() - told[1]["inventories"].keys()
        allocations = {}
        for consumer in held:
            known = self.ask(["GET", f"/allocations/{consumer}", None, "1.39"])[1]
            given = {}
            for owner, row in known["allocations"].items():
                for name, amount in row["resources"].items():
                    to = target if owner == source and name in moved else owner
                    given.setdefault(to, {"resources": {}})["resources"][name] = amount
            allocations[consumer] = {"allocations": given, **self.owner(known["consumer_generation"])}
        inventories = {
            source: {name: one for name, one in told[0]["inventories"].items() if name not in moved},
            target: told[1]["inventories"] | {name: told[0]["inventories"][name] for name in moved},
        }
        body = {
            "inventories": {
                uuid: {"resource_provider_generation": one["resource_provider_generation"], "inventories": stocks}
                for (uuid, stocks), one in zip(inventories.items(), told)
            },
            "allocations": allocations,
        }
        yield ["POST", "/reshaper", body, "1.39"]

    def names(self):
        """Traits and classes come, go, and are renamed."""
        yield self.rng.choice(
            (
                ["PUT", "/traits/CUSTOM_NEW", None, "1.39"],
                ["DELETE", "/traits/CUSTOM_NEW", None, "1.39"],
                ["PUT", "/resource_classes/CUSTOM_NEW", None, "1.39"],
                ["PUT", "/resource_classes/CUSTOM_NEW", None, "1.39"],
                ["DELETE", "/resource_classes/CUSTOM_NEW", None, "1.39"],
                ["PUT", "/resource_classes/CUSTOM_NEW", {"name": "CUSTOM_OTHER"}, "1.6"],
                ["DELETE", "/resource_classes/CUSTOM_OTHER", None, "1.39"],
            )
        )
