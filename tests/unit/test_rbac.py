"""Rights follow from the enabled types, and go no further."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import rbac
from placement.api.kinds import BUILT_IN, DEFAULT_TYPES, TargetType

TYPES = st.lists(st.sampled_from(sorted(BUILT_IN)), unique=True).map(lambda names: [BUILT_IN[name] for name in names])
WRITE = {"create", "update", "patch", "delete"}


def member_rules(types: Iterable[TargetType]) -> list[Any]:
    return [dict(rule) for rule in [*rbac.member_rules(), *rbac.member_type_rules(types)]]


def controller_rules(types: Iterable[TargetType]) -> list[Any]:
    return [dict(rule) for rule in [*rbac.controller_rules(), *rbac.controller_type_rules(types)]]


def controller_namespace_rules() -> list[Any]:
    return [dict(rule) for rule in rbac.controller_namespace_rules()]


def verbs(rules: Iterable[Any], group: str, resource: str) -> set[str]:
    """What the rules allow on a resource."""
    return {
        verb
        for rule in rules
        if group in rule.get("api_groups", []) and resource in rule.get("resources", []) and "verbs" in rule
        for verb in rule["verbs"]
    }


def defaults() -> list[TargetType]:
    return [BUILT_IN[name] for name in DEFAULT_TYPES]


@given(TYPES)
def test_a_member_lets_every_enabled_type_be_kept(types: list[TargetType]) -> None:
    rules = member_rules(types)
    for target in types:
        assert verbs(rules, target.group, target.plural) >= {"get", "list", "watch"} | WRITE
    assert verbs(rules, "", "namespaces") >= {"get", "list", "watch"} | WRITE


@given(TYPES)
def test_a_member_lets_nothing_else_be_written(types: list[TargetType]) -> None:
    rules = member_rules(types)
    enabled = {(target.group, target.plural) for target in types} | {("", "namespaces")}
    for target in BUILT_IN.values():
        if (target.group, target.plural) not in enabled:
            assert not verbs(rules, target.group, target.plural) & (WRITE | {"escalate"}), target
    for resource in ("nodes", "pods"):
        if ("", resource) not in enabled:
            assert verbs(rules, "", resource) == {"get", "list", "watch"}


@given(TYPES)
def test_no_right_is_a_wildcard(types: list[TargetType]) -> None:
    for rules in (member_rules(types), controller_rules(types), controller_namespace_rules()):
        assert rules
        assert "*" not in json.dumps(rules)


@given(TYPES)
def test_roles_are_escalated_and_bound_only_where_they_are_federated(types: list[TargetType]) -> None:
    plurals = {target.plural for target in types}
    rules = member_rules(types)
    allowed = {verb for rule in rules for verb in rule.get("verbs", [])}
    assert ("escalate" in allowed) == bool(plurals & {"roles", "clusterroles"})
    assert ("bind" in allowed) == bool(plurals & {"rolebindings", "clusterrolebindings"})
    for plural in ("roles", "clusterroles"):
        assert ("escalate" in verbs(rules, "rbac.authorization.k8s.io", plural)) == (plural in plurals)
    assert "impersonate" not in allowed


@given(TYPES)
def test_each_rule_has_verbs_and_what_they_are_for(types: list[TargetType]) -> None:
    for rule in [*member_rules(types), *controller_rules(types), *controller_namespace_rules()]:
        assert rule.get("verbs")
        assert ("non_resource_urls" in rule) != ("resources" in rule)
        assert ("api_groups" in rule) == ("resources" in rule)


def test_a_type_that_is_named_twice_gives_the_same_rights() -> None:
    assert member_rules([*defaults(), *defaults()]) == member_rules(defaults())
    assert controller_rules([*defaults(), *defaults()]) == controller_rules(defaults())


def test_other_rules_give_a_role_another_name() -> None:
    fewer = defaults()[1:]
    for rules in (rbac.member_type_rules, rbac.controller_type_rules):
        name = rbac.name_with_digest("role", rules(defaults()))
        assert name == rbac.name_with_digest("role", rules(defaults()))
        assert name.startswith("role-types-")
        assert name != rbac.name_with_digest("role", rules(fewer))


def test_the_controller_sees_a_members_health() -> None:
    urls = {url for rule in member_rules(defaults()) for url in rule.get("non_resource_urls", [])}
    assert "/healthz" in urls


@given(TYPES)
def test_the_controller_handles_the_federated_types_alone(types: list[TargetType]) -> None:
    federated = {
        resource
        for rule in controller_rules(types)
        if "types.kubefed.io" in rule.get("api_groups", [])
        for resource in rule.get("resources", [])
        if "/" not in resource
    }
    assert federated == {f"federated{target.plural}" for target in types} | {"federatednamespaces"}


def test_the_controller_reads_secrets_in_its_own_namespace_alone() -> None:
    assert "get" in verbs(controller_namespace_rules(), "", "secrets")
    assert not verbs(controller_rules(defaults()), "", "secrets")


@pytest.mark.parametrize("resource", ["kubefedclusters", "kubefedconfigs", "federatedtypeconfigs"])
def test_the_controller_cannot_make_or_end_its_own_settings(resource: str) -> None:
    assert not verbs(controller_namespace_rules(), "core.kubefed.io", resource) & {"create", "delete"}
    assert verbs(controller_namespace_rules(), "core.kubefed.io", f"{resource}/status") >= {"update", "patch"}
