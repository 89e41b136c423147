"""Google's APIs: which of them are on in the project, and the accounts by which they act.

An API that the program turns on is off until that was done. One that no program manages counts as on: someone has
turned it on by hand.
"""

import hashlib
import re
from collections.abc import Iterator

from local.gcp.resource import Cloud, Kind, Wrong, invalid, project_of
from local.gcp.timing import taking_time
from local.wire import UNKNOWN, Properties

_APIS = "api"  # in the registry
_NAMES = (
    "aiplatform anthos anthosconfigmanagement artifactregistry autoscaling bigquery binaryauthorization "
    "certificatemanager cloudbilling cloudbuild cloudkms cloudresourcemanager cloudtrace compute connectgateway "
    "container containeranalysis containerfilesystem containerregistry containersecurity deploymentmanager dns "
    "file gkebackup gkeconnect gkehub iam iamcredentials iap logging lustre meshconfig monitoring "
    "multiclusteringress multiclustermetering multiclusterservicediscovery networkconnectivity networkmanagement "
    "networksecurity networkservices opsconfigmonitoring oslogin parallelstore privateca pubsub recommender "
    "secretmanager servicecontrol servicedirectory servicemanagement servicenetworking serviceusage stackdriver "
    "storage storage-api storage-component sts telemetry tpu trafficdirector vpcaccess websecurityscanner"
)
_KNOWN = frozenset(f"{name}.googleapis.com" for name in _NAMES.split())
# The agents that are not named after their API.
_AGENTS = {
    "container.googleapis.com": "container-engine-robot",
    "compute.googleapis.com": "compute-system",
    "multiclusterservicediscovery.googleapis.com": "gcp-sa-mcsd",
    "file.googleapis.com": "cloud-filer",
}


class Service(Kind):
    """A Google API that is on in the project."""

    token = "gcp:projects/service:Service"
    fixed = frozenset({"project", "service"})
    needed = ("service",)
    named = False
    shared = True

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"{project_of(cloud, inputs)}/{inputs.get('service')}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return ()

    def announce(self, cloud: Cloud, inputs: Properties) -> None:
        cloud.planned.add(self.identify(cloud, inputs))

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        service = inputs["service"]
        if service != UNKNOWN and service not in _KNOWN:
            why = f"Error 403: Not found or permission denied for service(s): {service}"
            yield Wrong("service", f"{why}; it must be an API's name, such as container.googleapis.com")

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        with taking_time("API"):
            pass
        cloud.registry.put(_APIS, identifier, {"on": True})
        return {}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        if state.get("disableOnDestroy"):
            cloud.registry.put(_APIS, identifier, {"on": False})


class ServiceIdentity(Kind):
    """The account by which a Google API acts in the project, such as GKE's robot."""

    token = "gcp:projects/serviceIdentity:ServiceIdentity"
    fixed = frozenset({"project", "service"})
    needed = ("service",)
    named = False
    shared = True

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/services/{inputs.get('service')}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (inputs["service"],)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        service = inputs["service"]
        if service != UNKNOWN and service not in _KNOWN:
            yield Wrong("service", invalid("service", service, "Service not found"))

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        project = project_of(cloud, inputs)
        email = agent(project, inputs["service"])
        return {"project": project, "email": email, "member": f"serviceAccount:{email}"}


def refusal(cloud: Cloud, project: str, api: str) -> str | None:
    """Google Cloud's error for a request to an API that is off, or None where it is on."""
    key = f"{project}/{api}"
    state = cloud.registry.get(_APIS, key)
    if state["on"] if state else key not in cloud.planned:
        return None
    return (
        f"Error 403: {api} has not been used in project {project} before or it is disabled. Enable it, then retry "
        f"(SERVICE_DISABLED). The program turns it on: this resource must depend on that projects.Service"
    )


def agent(project: str, service: str) -> str:
    """The address of the account by which an API acts in a project."""
    name = re.sub(r"\.googleapis\.com$", "", service)
    return f"service-{number(project)}@{_AGENTS.get(service, f'gcp-sa-{name}')}.iam.gserviceaccount.com"


def number(project: str) -> str:
    """A project's number, which on this machine follows from its name."""
    return str(10**11 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % (9 * 10**11))
