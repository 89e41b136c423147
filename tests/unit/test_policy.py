"""The rules of the policy pack, on good and bad resources and on all that the real program registers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
)
from pulumi_policy.proxy import unknown_checking_proxy

from policy.rules import CLUSTER, NODE_POOL, RULES
from tests.unit.program import ROOT, Asked, Run

ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
FEDERATED = "kubernetes:types.kubefed.io/v1beta1:FederatedClusterRole"
LABELS = {"federation": "geo-federation", "stack": "prod", "cluster": "serving"}


def resource(
    type_: str, props: Mapping[str, Any], provider: str | None = "serving-provider", stack: str = "prod"
) -> Any:
    """A resource as the engine hands it to a policy."""
    urn = f"urn:pulumi:{stack}::geo-federation::"
    provided = PolicyProviderResource("pulumi:providers:kubernetes", {}, f"{urn}x::{provider}", provider or "")
    return ResourceValidationArgs(
        type_,
        # The engine's maps and lists are neither dicts nor lists.
        unknown_checking_proxy(dict(props)),
        f"{urn}{type_}::serving",
        "serving",
        PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), []),
        provided if provider else None,
    )


def broken(name: str, resource: ResourceValidationArgs) -> list[str]:
    """What a rule says of a resource."""
    (rule,) = (each for each in RULES if each.name == name)
    return list(rule.broken(resource))


# Good and bad resources.


@pytest.mark.parametrize(
    ("rule", "type_", "props"),
    [
        ("private-nodes", CLUSTER, {"privateClusterConfig": {"enablePrivateNodes": True}}),
        ("private-nodes", NODE_POOL, {}),
        ("private-nodes", NODE_POOL, {"networkConfig": {"enablePrivateNodes": True}}),
        ("deletion-protection", CLUSTER, {"deletionProtection": True}),
        ("deletion-protection", NODE_POOL, {}),
        ("no-wildcards", ROLE, {"kind": "ClusterRole", "rules": [{"apiGroups": [""], "verbs": ["get", "list"]}]}),
        ("no-wildcards", ROLE, {"kind": "ClusterRole"}),
        ("no-wildcards", "kubernetes:core/v1:ConfigMap", {"kind": "ConfigMap", "data": {"a": "*"}}),
        ("no-wildcards", ROLE, {"kind": "ClusterRole", "metadata": {"annotations": {"about": "*"}}, "rules": []}),
        ("no-wildcards", "x", {"kind": "ClusterRoleBinding", "roleRef": {"name": "cluster-administrators"}}),
        ("explicit-provider", ROLE, {}),
        ("cluster-labels", CLUSTER, {"resourceLabels": LABELS | {"more": "x"}}),
        ("cluster-labels", NODE_POOL, {}),
    ],
)
def test_what_is_good_is_let_through(rule: str, type_: str, props: dict[str, Any]) -> None:
    assert broken(rule, resource(type_, props)) == []


@pytest.mark.parametrize(
    ("rule", "type_", "props", "advice"),
    [
        ("private-nodes", CLUSTER, {}, "write private_cluster_config="),
        ("private-nodes", CLUSTER, {"privateClusterConfig": {"enablePrivateNodes": False}}, "Cloud NAT"),
        ("private-nodes", NODE_POOL, {"networkConfig": {"enablePrivateNodes": False}}, "leave enable_private_nodes"),
        ("deletion-protection", CLUSTER, {"deletionProtection": False}, "write deletion_protection: true"),
        ("deletion-protection", CLUSTER, {}, "Pulumi.prod.yaml"),
        ("no-wildcards", ROLE, {"kind": "ClusterRole", "rules": [{"verbs": ["get", "*"]}]}, "'*' in rules[0].verbs[1]"),
        ("no-wildcards", ROLE, {"kind": "Role", "rules": [{"verbs": ["get"]}, {"resources": ["pods/*"]}]}, "rules[1]"),
        (
            "no-wildcards",
            ROLE,
            {"kind": "Role", "rules": [{"nonResourceURLs": ["/api/*"]}]},
            "name each that is needed",
        ),
        (
            "no-wildcards",
            FEDERATED,
            {"kind": "FederatedClusterRole", "spec": {"template": {"rules": [{"apiGroups": ["*"]}]}}},
            "spec.template.rules[0].apiGroups[0]",
        ),
        (
            "no-wildcards",
            FEDERATED,
            {"kind": "FederatedRole", "spec": {"overrides": [{"clusterOverrides": [{"value": ["*"]}]}]}},
            "spec.overrides[0]",
        ),
        ("no-wildcards", "x", {"kind": "ClusterRoleBinding", "roleRef": {"name": "cluster-admin"}}, "cluster-admin"),
        (
            "no-wildcards",
            "x",
            {"kind": "FederatedRoleBinding", "spec": {"template": {"roleRef": {"name": "cluster-admin"}}}},
            "make a role that names what is needed",
        ),
        ("cluster-labels", CLUSTER, {}, "no label federation and no label stack and no label cluster"),
        ("cluster-labels", CLUSTER, {"resourceLabels": LABELS | {"stack": ""}}, "serving has no label stack; write"),
    ],
)
def test_what_is_bad_is_told_with_what_to_write(rule: str, type_: str, props: dict[str, Any], advice: str) -> None:
    (message,) = broken(rule, resource(type_, props))
    assert advice in message
    assert "serving" in message


@pytest.mark.parametrize("provider", [None, "default", "default_4_34_2"])
def test_an_object_on_no_provider_of_a_cluster_is_refused(provider: str | None) -> None:
    (message,) = broken("explicit-provider", resource("kubernetes:core/v1:Namespace", {}, provider))
    assert "write provider=CLUSTER.provider" in message
    assert broken("explicit-provider", resource("gcp:compute/network:Network", {}, provider)) == []


def test_only_production_must_be_protected() -> None:
    assert broken("deletion-protection", resource(CLUSTER, {}, stack="dev")) == []
    assert broken("deletion-protection", resource(CLUSTER, {}, stack="prod"))


# The program.


def as_policies_see(each: Asked) -> ResourceValidationArgs:
    name = each.provider.split("::")[-2] if each.provider else None
    found = resource(each.type, each.inputs, name)
    found.urn, found.name = each.urn, each.name
    return found


def test_the_program_breaks_no_rule(run: Run) -> None:
    reported = {
        rule.name: [message for each in run.asked for message in rule.broken(as_policies_see(each))] for rule in RULES
    }
    assert reported == {rule: [] for rule in reported}
    assert len(reported) == 5
    assert {rule.level for rule in RULES} == {EnforcementLevel.MANDATORY}


def test_the_program_would_break_each_rule(run: Run) -> None:
    """What the rules look at is there: taken away, each of them has something to say."""
    clusters = [as_policies_see(each) for each in run.of_type(CLUSTER)]
    roles = [as_policies_see(each) for each in run.kubernetes if each.kind in ("Role", "ClusterRole")]
    objects = [as_policies_see(each) for each in run.kubernetes]
    for each in clusters:
        each.props = dict(each.props) | {"resourceLabels": {}, "deletionProtection": False, "privateClusterConfig": {}}
        each.urn = each.urn.replace(each.urn.split("::")[0], "urn:pulumi:prod")
    for each in roles:
        each.props = dict(each.props) | {"rules": [*each.props["rules"], {"verbs": ["*"]}]}
    for each in objects:
        each.provider = None
    for rule, resources in (
        ("cluster-labels", clusters),
        ("private-nodes", clusters),
        ("deletion-protection", clusters),
        ("no-wildcards", roles),
        ("explicit-provider", objects),
    ):
        assert len(resources) >= 2
        assert all(broken(rule, each) for each in resources), rule


# The pack.


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == 5
    assert all(rule.description.endswith(".") for rule in RULES)


def test_the_pack_can_be_started() -> None:
    assert os.access(ROOT / "policy" / "pack", os.X_OK)
    assert Path(ROOT / "policy" / "PulumiPolicy.yaml").exists()
