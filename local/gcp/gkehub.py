"""The fleet's features, such as Services across clusters, which are checked and recorded."""

from collections.abc import Iterator
from typing import ClassVar

from local.gcp.iam import Member
from local.gcp.resource import Choices, Cloud, Kind, Wrong, invalid, project_of
from local.wire import UNKNOWN, Properties

HUB = "gkehub.googleapis.com"
_FEATURES = {
    "multiclusterservicediscovery": ("multiclusterservicediscovery.googleapis.com",),
    "multiclusteringress": ("multiclusteringress.googleapis.com",),
    "configmanagement": ("anthosconfigmanagement.googleapis.com",),
    "policycontroller": ("anthos.googleapis.com",),
    "servicemesh": ("meshconfig.googleapis.com",),
    "fleetobservability": (),
    "rbacrolebindingactuation": (),
    "clusterupgrade": (),
    "workloadidentity": (),
}


class Feature(Kind):
    """A feature of the project's fleet."""

    token = "gcp:gkehub/feature:Feature"
    fixed = frozenset({"name", "location", "project"})
    needed = ("name", "location")
    choices: ClassVar[Choices] = {"name": tuple(_FEATURES)}
    labels = ("labels",)
    # Its name is that of the feature, so Pulumi may not choose one.
    named = False

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        where = f"projects/{project_of(cloud, inputs)}/locations/{inputs.get('location')}"
        return f"{where}/features/{inputs.get('name')}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (HUB, *_FEATURES.get(inputs["name"], ()))

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        if inputs["location"] not in (UNKNOWN, "global"):
            yield Wrong("location", invalid("location", inputs["location"], "A fleet's features are in 'global'"))

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        state: Properties = {"resourceStates": [{"hasResources": True, "state": "ACTIVE"}], "states": [{}]}
        return {"project": project_of(cloud, inputs), **state}


class FeatureMember(Member):
    """One role of one member on a feature."""

    token = "gcp:gkehub/featureIamMember:FeatureIamMember"
    on = "name"
    roles_of = frozenset({"gkehub"})

    def __init__(self) -> None:
        super().__init__()
        self.fixed |= {"location", "project"}

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        where = f"projects/{project_of(cloud, inputs)}/locations/{inputs.get('location') or 'global'}"
        return f"{where}/features/{super().identify(cloud, inputs)}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (HUB,)

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().hindered(cloud, identifier, inputs)
        feature = Feature().identify(cloud, {"location": "global", **inputs})
        if cloud.registry.get(Feature().slug, feature) is None:
            yield Wrong("name", f"Error 404: Resource '{feature}' was not found")
