"""The base of the stand-in's kinds of Google Cloud resources, and reading their inputs."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, cast

from local.gcp.registry import Registry
from local.paths import Home
from local.wire import UNKNOWN, Properties

COMPUTE, CONTAINER = "compute.googleapis.com", "container.googleapis.com"

# Compute Engine's and GKE's names, without their longest length.
DASHED = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_KEY, _LABEL_VALUE = r"[a-z][-_a-z0-9]{0,62}", r"[-_a-z0-9]{0,63}"
_LABELS = 64  # on one resource
_HIDDEN = f"inside {UNKNOWN}"

Choices = Mapping[str, Collection[str]]


class Wrong(NamedTuple):
    """Why Google Cloud would refuse a resource, and which of its inputs is wrong."""

    property: str
    why: str


@dataclass(frozen=True)
class Cloud:
    """What every resource can use: the local stack's folder, the project, and all existing resources."""

    home: Home
    registry: Registry
    project: str
    region: str = ""
    """Where a resource is that names no region of its own."""
    planned: set[str] = field(default_factory=set[str])
    """The APIs that the program turns on; one of them is off until its resource is created."""


# The provider fills these in from its own settings, and keeps them.
_WHERE = frozenset({"project", "region", "location"})


class Kind:
    """A kind of resource: its name and id, its checks, and its outputs."""

    token = ""
    # Inputs whose change needs a new resource, and inputs inside of others, as nodeConfig.spot.
    fixed: frozenset[str] = frozenset()
    # Of those, what is kept as Google returned it where the program leaves it out; anything else would be removed.
    computed: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ()
    # The values that a path may have, such as nodeConfig.taints[].effect.
    choices: ClassVar[Choices] = {}
    # The paths of Google Cloud's labels.
    labels: tuple[str, ...] = ()
    named = True
    name_pattern = DASHED
    longest_name = 63
    # Declared twice, it exists once: the second declaration takes over the existing one.
    shared = False
    # After a deletion, its name cannot be used again.
    lasting = False

    @property
    def slug(self) -> str:
        """The kind's name in the registry."""
        return self.token.rpartition(":")[2].lower()

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        """The id that Google Cloud gives it."""
        raise NotImplementedError

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        """The Google APIs that must be on before it can be created."""
        return (COMPUTE,)

    def announce(self, cloud: Cloud, inputs: Properties) -> None:
        """Records that the program declares it, before anything is created."""

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        """Yields why Google Cloud would refuse it by its inputs alone; inputs may be unknown."""
        yield from ()

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        """Yields what is wrong with what it refers to when it is created or changed; all inputs are known."""
        yield from ()

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        """Whether a change at a path, without the numbers of its lists, needs a new resource."""
        return any(path == each or path.startswith(f"{each}.") for each in self.fixed)

    def taken_out(self, state: Properties, new: Properties) -> Iterator[str]:
        """Yields what Google has filled in and the inputs leave out, as far as its removal needs a new resource."""
        for path in sorted(self.fixed - self.computed - _WHERE):
            if value(state, path) and lacking(new, path):
                yield path

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        """Its outputs beside its inputs, as far as they follow from them."""
        return {}

    def foreseen(self, inputs: Properties) -> Properties:
        """What a preview shows of inputs that Google Cloud adds something to."""
        return {}

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        """Creates its counterpart on this machine, and returns further outputs."""
        return {}

    def kept(self, old: Properties, new: Properties) -> Properties:
        """The outputs of its creation that stay when its inputs change."""
        return {}

    def change(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        """Changes its counterpart to match new inputs, and returns further outputs. Raises Refused."""
        return {}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        """Removes its counterpart. Raises Refused."""


def check(kind: Kind, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the inputs of any kind."""
    missing = [each for each in kind.needed if lacking(inputs, each)]
    yield from (Wrong(each, f"Missing required argument: {each}") for each in missing)
    name = inputs.get("name")
    if kind.named and name != UNKNOWN and not is_name(name, kind.name_pattern, kind.longest_name):
        why = f"Must be a match of regex '{kind.name_pattern}' and at most {kind.longest_name} characters"
        yield Wrong("name", invalid("name", name, why))
    for path, choices in kind.choices.items():
        for each in values(inputs, path):
            if each not in choices:
                yield Wrong(path.replace("[]", ""), invalid(path, each, f"Must be one of {', '.join(choices)}"))
    for path in kind.labels:
        yield from _wrong_labels(path, value(inputs, path, {}))
    if not missing:
        yield from kind.wrong(cloud, identifier, inputs)


def is_name(name: object, pattern: str, longest: int) -> bool:
    """Whether Google Cloud takes a name."""
    return isinstance(name, str) and len(name) <= longest and re.fullmatch(pattern, name) is not None


def invalid(path: str, value: object, why: str) -> str:
    """Google Cloud's message for a value that it does not accept."""
    return f"Invalid value for field '{path.replace('[]', '')}': '{value}'. {why}"


def values(inputs: Properties, path: str) -> list[Any]:
    """The values at a path, where [] means each of a list. What is not known yet is left out."""
    return [each for each in _at(inputs, path) if each not in (UNKNOWN, _HIDDEN)]


def value(inputs: Properties, path: str, default: Any = None) -> Any:
    """The value at a path; the default where there is none or it is not known yet."""
    return next(iter(values(inputs, path)), default)


def given(inputs: Properties, path: str) -> bool:
    """Whether a path certainly has a value, known or not."""
    return any(each != _HIDDEN for each in _at(inputs, path))


def lacking(inputs: Properties, path: str) -> bool:
    """Whether a path certainly has no value: one inside of something unknown might have."""
    return not _at(inputs, path)


def full(identifier: str) -> str:
    """An id without the address of the API that a link begins with."""
    return re.sub(r"^https://[^/]+/([a-z]+/)?v1/", "", identifier)


def find(cloud: Cloud, slug: str, reference: str) -> tuple[str, Properties] | None:
    """The resource of a kind that an id, a link or a bare name means."""
    identifier = full(reference)
    if "/" not in identifier:
        everything = cloud.registry.all(slug).items()
        return next(((key, each) for key, each in everything if each.get("name") == identifier), None)
    found = cloud.registry.get(slug, identifier)
    return None if found is None else (identifier, found)


def project_of(cloud: Cloud, inputs: Properties) -> str:
    """The project that a resource is in."""
    return str(inputs.get("project") or cloud.project)


def _at(inputs: Properties, path: str) -> list[Any]:
    """The values at a path, with _HIDDEN for what is inside of something unknown."""
    found: list[Any] = [inputs]
    for step in path.split("."):
        key = step.removesuffix("[]")
        found = [item for each in found for item in _inside(each, key)]
        if step.endswith("[]"):
            found = [item for each in found for item in _items(each)]
    return found


def _inside(outer: object, key: str) -> list[Any]:
    if outer in (UNKNOWN, _HIDDEN):
        return [_HIDDEN]
    inner = cast(Properties, outer).get(key) if isinstance(outer, dict) else None
    return [] if inner is None else [inner]


def _items(outer: object) -> list[Any]:
    return cast(list[Any], outer) if isinstance(outer, list) else [_HIDDEN]


def _wrong_labels(path: str, labels: Mapping[str, object]) -> Iterator[Wrong]:
    if len(labels) > _LABELS:
        yield Wrong(path, f"{path} has {len(labels)} labels; at most {_LABELS} are allowed")
    for key, text in labels.items():
        if not re.fullmatch(_LABEL_KEY, key):
            yield Wrong(path, invalid(path, key, f"Label keys must be a match of regex '{_LABEL_KEY}'"))
        if text != UNKNOWN and not re.fullmatch(_LABEL_VALUE, str(text)):
            yield Wrong(path, invalid(path, text, f"Label values must be a match of regex '{_LABEL_VALUE}'"))
