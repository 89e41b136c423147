"""The operators that settings call by a short name: what each publishes of a release, and the types that it serves.

It does not install them (base.py does). That their Deployments are ready is awaited by Pulumi's provider, whatever
their names are. Sources, read 2026-11-26: the installation pages of JobSet, LeaderWorkerSet, Kueue, KubeRay and
Kubeflow Trainer; the CRDs in the modules of JobSet 0.10.1, LeaderWorkerSet 0.7.0, Kueue 0.17.0, KubeRay 1.5.0 and
Trainer 2.0.0; the chart and the webhooks in those of Trainer and Kueue.

The oldest releases, read 2026-11-27 in the projects' repositories at their tags: the versions that the CRDs serve,
there and in the release before it, and in JobSet 0.12.0, LeaderWorkerSet 0.9.0, Kueue 0.19.0, KubeRay 1.7.0 and Trainer
2.3.0, which serve them still; the Makefile that makes a release's manifests.yaml, and the workflow that publishes
Trainer's chart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Chart:
    """A Helm chart by which an operator is published; its version is the operator's, without the v."""

    name: str
    repo: str
    """Empty where the name is that of an OCI artifact."""
    namespace: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Operator:
    """What is known of an operator.

    `oldest` is the first release that serves its types as KubeFed federates them, and `published`, where it is a later
    one, the first that `manifests` or `chart` has. `needs` are operators that it uses. One that is `last` has webhooks
    for objects of others, such as Deployments and Jobs, which nobody can create between its webhooks' creation and the
    start of its manager.
    """

    oldest: str
    types: tuple[str, ...]
    manifests: str = ""
    """The URL of a release's manifests, with VERSION in place of its version; empty where it has a chart alone."""
    chart: Chart | None = None
    published: str = ""
    needs: tuple[str, ...] = ()
    last: bool = False


KUEUE = "kueue"
OPERATORS: Mapping[str, Operator] = {
    # Before, it was v1alpha1.
    "jobset": Operator(
        "v0.2.0",
        ("jobsets.jobset.x-k8s.io",),
        "https://github.com/kubernetes-sigs/jobset/releases/download/VERSION/manifests.yaml",
    ),
    # Its first release serves v1 already.
    "lws": Operator(
        "v0.1.0",
        ("leaderworkersets.leaderworkerset.x-k8s.io",),
        "https://github.com/kubernetes-sigs/lws/releases/download/VERSION/manifests.yaml",
    ),
    # v1beta2, of which its queues are made here, is served from this release on, beside v1beta1.
    KUEUE: Operator(
        "v0.15.0",
        ("localqueues.kueue.x-k8s.io",),
        "https://github.com/kubernetes-sigs/kueue/releases/download/VERSION/manifests.yaml",
        last=True,
    ),
    # Before, it was v1alpha1.
    "kuberay": Operator(
        "v1.0.0",
        ("rayclusters.ray.io", "rayjobs.ray.io", "rayservices.ray.io"),
        chart=Chart("kuberay-operator", "https://ray-project.github.io/kuberay-helm/", "ray-system"),
    ),
    # A TrainJob runs as a JobSet, whose operator its chart would install, too, in a version of its own.
    "trainer": Operator(
        "v2.0.0",
        ("trainjobs.trainer.kubeflow.org", "trainingruntimes.trainer.kubeflow.org"),
        chart=Chart(
            "oci://ghcr.io/kubeflow/charts/kubeflow-trainer", "", "kubeflow-system", {"jobset": {"install": False}}
        ),
        published="v2.1.0",
        needs=("jobset",),
    ),
}
"""The operators by their short names."""
