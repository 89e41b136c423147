"""Reads the project's quotas from Google, and warns of those that are smaller than what the pools can grow to.

Each quota is one call of the gcp provider, so that there are no credentials but its own; all calls run side by side.
A project may have hundreds of quotas with dozens of limits each: only those that the pools need are read.
"""

import asyncio
import importlib.metadata
from collections.abc import Mapping, Sequence

import pulumi
from pulumi.runtime import invoke_async
from pulumi_gcp.cloudquota import GetSQuotaInfoResult

from clusters.quota_needs import UNLIMITED, Limit, Need, needs_of, not_listed, too_small
from clusters.spec import Cluster
from problems import shorten

FUNCTION = "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo"
API = "cloudquotas.googleapis.com"
_SERVICE = "compute.googleapis.com"
# Pulumi writes before the provider's own words which function it was.
_FAILED = "returned an error: "
_LONGEST = 200


def warn_of_quotas(clusters: Mapping[str, Cluster], project: str) -> None:
    """Warns of quotas that are too small, once they are known; whatever cannot be read is a note, and no error."""
    if needs := needs_of(clusters):
        pulumi.Output.from_input(_warn(needs, project))


async def _warn(needs: Sequence[Need], project: str) -> None:
    ids = sorted({quota.id for need in needs for quota in need.quotas.values()})
    answers = dict(zip(ids, await asyncio.gather(*(_ask(project, each) for each in ids)), strict=True))
    limits = {each: answer for each, answer in answers.items() if not isinstance(answer, str)}
    for text in too_small(needs, limits):
        pulumi.log.warn(text)
    reasons = dict.fromkeys(answer for answer in answers.values() if isinstance(answer, str))
    missing = [f"no limit is listed of {each}" for each in not_listed(needs, limits)]
    if unread := [*reasons, *missing]:
        pulumi.log.info(f"not all quotas are compared with the pools: {'; '.join(unread)}")


async def _ask(project: str, quota: str) -> list[Limit] | str:
    """The limits of a quota, or why they cannot be read."""
    arguments = {"parent": f"projects/{project}", "service": _SERVICE, "quotaId": quota}
    # The version that resources name, too: without it, Pulumi would start another provider.
    options = pulumi.InvokeOptions(version=importlib.metadata.version("pulumi-gcp"))
    try:
        found: GetSQuotaInfoResult = await invoke_async(FUNCTION, arguments, options, GetSQuotaInfoResult)
    except Exception as error:  # Pulumi raises no narrower one where a function of a provider fails.
        return reason(str(error), project)
    return [
        Limit(
            each.dimensions or {},
            each.applicable_locations or [],
            _value(each.details[0].value if each.details else ""),
        )
        for each in found.dimensions_infos or []
    ]


def _value(text: str) -> int:
    """A limit as a number. The API leaves out what is 0, and -1 is no limit."""
    value = int(text or 0)
    return UNLIMITED if value < 0 else value


def reason(error: str, project: str) -> str:
    """Why quotas cannot be read, and what would help, in place of the provider's error."""
    if "SERVICE_DISABLED" in error or "has not been used in project" in error:
        return f"the Cloud Quotas API is off; to turn it on: gcloud services enable {API} --project {project}"
    if "PERMISSION_DENIED" in error or "Error 403" in error:
        return "whoever runs this may not read them; grant roles/cloudquotas.viewer"
    own = " ".join(error.rpartition(_FAILED)[2].split())
    return f"they cannot be read: {shorten(own, _LONGEST)}"
