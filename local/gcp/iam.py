"""IAM: members and roles, as Google Cloud accepts them, and one role of one member on anything."""

import re
from collections.abc import Iterator

from local.gcp.resource import Cloud, Kind, Wrong, value
from local.wire import UNKNOWN, Properties

ACCOUNTS = "account"  # service accounts, in the registry
POOLS = "workloadidentitypool"
_ADDRESS = r"[^@\s:\[\]]+@[^@\s:\[\]]+\.[^@\s:\[\]]+"
_WORKLOAD = r"(?P<pool>[-a-z0-9.:]+\.svc\.id\.goog)\[[-a-z0-9]+/[-a-z0-9.]+\]"
_PRINCIPAL = r"//iam\.googleapis\.com/(projects/\d+|locations)/.+"
_MEMBER = re.compile(
    rf"(user|group|serviceAccount):{_ADDRESS}|serviceAccount:{_WORKLOAD}|domain:[^@\s:]+\.[^@\s:]+|"
    rf"principal(Set)?:{_PRINCIPAL}|project(Owner|Editor|Viewer):[-a-z0-9.:]+|deleted:.+"
)
_EVERYONE = ("allUsers", "allAuthenticatedUsers")
_OWN_ROLE = re.compile(r"(projects|organizations)/[^/]+/roles/[\w.]{3,64}")
_BASIC_ROLES = ("owner", "editor", "viewer", "browser")
# The services whose roles a project may grant.
_NAMES = (
    "aiplatform artifactregistry autoscaling bigquery binaryauthorization cloudbuild cloudkms cloudtrace compute "
    "connectgateway container containeranalysis dns file gkebackup gkehub gkeonprem iam iap logging lustre "
    "monitoring multiclusteringress multiclusterservicediscovery networkconnectivity networkmanagement "
    "networksecurity networkservices parallelstore pubsub resourcemanager secretmanager servicedirectory "
    "servicemanagement servicenetworking serviceusage stackdriver storage telemetry trafficdirector "
    "workloadmanager"
)
_SERVICES = frozenset(_NAMES.split())


class Member(Kind):
    """One role of one member on one thing."""

    named = False
    shared = True
    # The input that says what the role is on.
    on = ""
    # The services whose roles it takes; none means all.
    roles_of: frozenset[str] = frozenset()
    # Whether everyone may be a member.
    public = True

    def __init__(self) -> None:
        self.needed = (self.on, "role", "member")
        self.fixed = frozenset({*self.needed, "condition"})

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        title = value(inputs, "condition.title")
        parts = [str(inputs.get(each)) for each in (self.on, "role", "member")]
        return "/".join([*parts, title] if title else parts)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        role, member = inputs["role"], inputs["member"]
        if role != UNKNOWN and (why := _why_no_role(role, self.roles_of)):
            yield Wrong("role", why)
        if member in _EVERYONE and not self.public:
            yield Wrong("member", f"Error 400: {member} cannot be granted a role here: name a user, group or account")
        elif member not in (UNKNOWN, *_EVERYONE) and not _MEMBER.fullmatch(member):
            why = "it must have a type, as in serviceAccount:name@project.iam.gserviceaccount.com"
            yield Wrong("member", f"Error 400: Invalid member {member}: {why}")

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        member = str(inputs["member"])
        if why := _why_nobody(cloud, member):
            yield Wrong("member", why)

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        return {"etag": "BwYAAAAAAAA="}


def workload_pool(member: str) -> str | None:
    """The pool of Workload Identity that a member is in: PROJECT.svc.id.goog."""
    if match := re.fullmatch(rf"serviceAccount:{_WORKLOAD}", member):
        return match["pool"]
    match = re.match(r"principal(?:Set)?://.*/workloadIdentityPools/([^/]+\.svc\.id\.goog)/", member)
    return match[1] if match else None


def _why_no_role(role: str, services: frozenset[str]) -> str | None:
    if _OWN_ROLE.fullmatch(role):
        return None
    service, _, name = role.removeprefix("roles/").partition(".")
    if not re.fullmatch(r"roles/[a-zA-Z]+(\.[\w.]+)?", role):
        return f"Error 400: Role {role} is malformed: a role is roles/SERVICE.NAME, or one of a project's own"
    if (service in (services or _SERVICES) and name) or (not name and service in _BASIC_ROLES and not services):
        return None
    whose = f"; roles of {', '.join(sorted(services))} are" if services else ""
    return f"Error 400: Role {role} is not supported for this resource{whose}"


def _why_nobody(cloud: Cloud, member: str) -> str | None:
    pool = workload_pool(member)
    if pool and cloud.registry.get(POOLS, pool) is None:
        why = f"Error 400: Identity Pool does not exist ({pool})"
        return f"{why}. The first cluster with Workload Identity makes it: depend on the cluster"
    address = member.removeprefix("serviceAccount:")
    if address == member or not address.endswith(f"@{cloud.project}.iam.gserviceaccount.com"):
        return None
    account = f"projects/{cloud.project}/serviceAccounts/{address}"
    known = cloud.registry.get(ACCOUNTS, account)
    return None if known else f"Error 400: Service account {address} does not exist"
