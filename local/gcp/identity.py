"""Service accounts and their roles, which are checked and kept."""

import re
from collections.abc import Iterator

from local.gcp.resource import Cloud, Kind
from local.plugin import UNKNOWN, Properties


class Account(Kind):
    """A Google service account."""

    token = "gcp:serviceaccount/account:Account"
    fixed = frozenset({"accountId"})
    named = False

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{cloud.project}/serviceAccounts/{_email(cloud, inputs)}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[str]:
        account = inputs.get("accountId", "")
        if not re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", account):
            yield f"accountId {account!r} is not 6 to 30 lower-case letters, digits and dashes"

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        email = _email(cloud, inputs)
        return {"project": cloud.project, "email": email, "member": f"serviceAccount:{email}", "name": identifier}


class IamMember(Kind):
    """One role of one member in the project."""

    token = "gcp:projects/iAMMember:IAMMember"
    fixed = frozenset({"project", "role", "member"})
    named = False

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"{inputs['project']}/{inputs['role']}/{inputs['member']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[str]:
        if not re.fullmatch(r"roles/[\w.]+|(projects|organizations)/[^/]+/roles/[\w.]+", inputs["role"]):
            yield f"role {inputs['role']} does not exist"
        member = inputs["member"]
        if member != UNKNOWN and not re.fullmatch(r"(user|group|serviceAccount|domain|principal\w*):.+", member):
            yield f"member {member} has no type, such as serviceAccount:"


def _email(cloud: Cloud, inputs: Properties) -> str:
    return f"{inputs.get('accountId', '')}@{cloud.project}.iam.gserviceaccount.com"
