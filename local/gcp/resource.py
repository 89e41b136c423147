"""What one kind of Google Cloud resource is to the stand-in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.gcp.registry import Registry
from local.paths import Home
from local.plugin import Properties


def is_name(name: object, longest: int) -> bool:
    """Whether Google Cloud takes a name: letters, digits and dashes, a letter first and no dash last."""
    return isinstance(name, str) and len(name) <= longest and bool(re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name))


@dataclass(frozen=True)
class Cloud:
    """Everything that a resource can know of: the local stack's folder, the project, and all that was made."""

    home: Home
    registry: Registry
    project: str


class Kind:
    """A kind of resource: how it is named, what is wrong with it, and what making it gives."""

    token = ""
    # Inputs whose change needs a new resource.
    fixed: frozenset[str] = frozenset()
    named = True
    longest_name = 63

    @property
    def slug(self) -> str:
        """The kind's name in the registry."""
        return self.token.rpartition(":")[2].lower()

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        """The id that Google Cloud gives it."""
        raise NotImplementedError

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[str]:
        """Yields why Google Cloud would refuse it, in the words of a user."""
        yield from ()

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        """What it has beside its inputs, as far as that is known before it is made."""
        return {}

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        """Makes what stands for it on this machine, and returns further outputs."""
        return {}

    def change(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        """Brings what stands for it in line with new inputs, and returns further outputs."""
        return {}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        """Removes what stands for it. Raises Refused."""
