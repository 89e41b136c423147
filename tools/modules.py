"""The Go modules of tools/: what is built in each, and what is stamped into it."""

from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
KUBERNETES = "v1.36.3"
PULUMI = "v3.274.1"
PULUMI_KUBERNETES = "4.34.2"  # of the SDK in requirements.txt


@dataclass(frozen=True)
class Module:
    """One folder of pins: the commands it builds and what is stamped into them."""

    name: str
    stamps: tuple[str, ...] = ()
    # The name of a binary whose package path does not end in it.
    rename: tuple[tuple[str, str], ...] = ()
    # Files to copy from a module's source: (module path, file in it).
    extras: tuple[tuple[str, str], ...] = ()
    # The binary of a folder that is a command itself, and what it embeds: (module path, file in it).
    command: str = ""
    embeds: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        return TOOLS / self.name


# Clients reject the version of an API server that is built without these.
_STAMP = "k8s.io/component-base/version"
_MAJOR, _MINOR = KUBERNETES.lstrip("v").split(".")[:2]

KUBERNETES_PLUGIN = "pulumi-resource-kubernetes"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"

MODULES = (
    Module(
        "kubernetes",
        stamps=(f"{_STAMP}.gitVersion={KUBERNETES}", f"{_STAMP}.gitMajor={_MAJOR}", f"{_STAMP}.gitMinor={_MINOR}"),
    ),
    Module("pulumi", stamps=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PULUMI}",)),
    Module(
        "pulumi-language",
        extras=(("github.com/pulumi/pulumi/sdk/v3", "python/cmd/pulumi-language-python-exec"),),
    ),
    Module("etcd", rename=(("server", "etcd"),)),
    Module("kwok"),
    Module("kubefed"),
    # Last, since most users have it already.
    Module(
        "pulumi-kubernetes",
        stamps=(f"main.version={PULUMI_KUBERNETES}",),
        command=KUBERNETES_PLUGIN,
        embeds=tuple(
            (_PROVIDER, f"cmd/{KUBERNETES_PLUGIN}/{file}") for file in ("schema.json", "terraform-mapping.json")
        ),
    ),
)
# Tools that check the project itself; the local stack does not use them.
CHECKERS = (Module("actionlint"),)
