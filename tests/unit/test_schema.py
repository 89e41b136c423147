"""The schema of the stacks' files and the reference of their settings: made from the models, and in step with them."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import BaseModel

from placement.spec import Placement
from problems import Schema
from settings import SECTIONS, Stack
from stackfile.__main__ import made
from stackfile.describe import meaning, what_to_write
from stackfile.schema import FIRST_LINE, PREFIX, stack_schema
from tests.unit.program import ROOT

SCHEMA = stack_schema()
STACKS = ("dev", "local", "prod")


@pytest.mark.parametrize("file", made())
def test_what_is_made_from_the_models_is_fresh(file: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == made()[file], "run `make schema`"


def stack(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())


def mistakes(settings: Any) -> list[str]:
    """Where the schema finds mistakes, as dotted paths."""
    validator: Any = Draft7Validator(SCHEMA)
    return [".".join(map(str, error.absolute_path)) for error in validator.iter_errors(settings)]


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", STACKS)
def test_the_stacks_of_the_project_are_as_the_schema_says(name: str) -> None:
    assert mistakes(stack(name)) == []


@pytest.mark.parametrize("name", STACKS)
def test_editors_find_the_schema(name: str) -> None:
    assert (ROOT / f"Pulumi.{name}.yaml").read_text().splitlines()[0] == FIRST_LINE
    assert (ROOT / FIRST_LINE.partition("$schema=")[2]).is_file()


GOOD: dict[str, dict[str, Any]] = {
    "another provider's setting": {"aws:region": "eu-west-1", "kubernetes:clusterIdentifier": "x"},
    "a custom type": {
        "federation": {
            "host": "training",
            "custom_types": {"a.b.c": {"kind": "A", "version": "v1"}},
            "types": ["a.b.c"],
        }
    },
    "a bucket": {"workloads.finetune.placement": {"policy": "nearest", "to": "gs://my-data", "count": 2}},
    "a region to be near to": {"workloads.finetune.placement": {"policy": "nearest", "to": "us-central1"}},
    "limits": {"workloads.finetune.placement": {"policy": "spread", "limits": {"serving": {"min": 1, "max": None}}}},
    "an override": {"workloads.finetune.overrides": {"role=serving": [{"path": "/data/A", "value": {"any": [1]}}]}},
}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key of a cluster": ({"clusters.serving.node_pool": {}}, "clusters.serving"),
    "an unknown key of a pool": ({"clusters.serving.node_pools.l4.machine": "x"}, "clusters.serving.node_pools.l4"),
    "an unknown key of a policy": (
        {"workloads.finetune.placement": {"policy": "spread", "region": "us-west1"}},
        "workloads.finetune.placement",
    ),
    "an unknown policy": ({"workloads.finetune.placement": {"policy": "spred"}}, "workloads.finetune.placement"),
    "a policy without its parameter": (
        {"workloads.finetune.placement": {"policy": "nearest"}},
        "workloads.finetune.placement",
    ),
    "an unknown region": ({"clusters.serving.region": "europe-west99"}, "clusters.serving.region"),
    "a slot above the plan": ({"clusters.serving.slot": 64}, "clusters.serving.slot"),
    "text for a slot": ({"clusters.serving.slot": "one"}, "clusters.serving.slot"),
    "text for zones": ({"clusters.serving.zones": "us-west1-b"}, "clusters.serving.zones"),
    "no nodes at most": ({"clusters.serving.node_pools.l4.max_nodes": 0}, "clusters.serving.node_pools.l4.max_nodes"),
    "a name that GKE refuses": ({"clusters.Serving": {"region": "us-west1", "slot": 9, "role": "a"}}, "clusters"),
    "a label that Kubernetes refuses": ({"clusters.serving.labels": {"a b": "c"}}, "clusters.serving.labels"),
    "no clusters": ({"clusters": {}}, "clusters"),
    "a list of clusters": ({"clusters": []}, "clusters"),
    "no host": ({"federation": {}}, "federation"),
    "no project": ({"gcp:project": ""}, "gcp:project"),
    "an override without a path": ({"workloads.finetune.overrides": {"serving": [{}]}}, "workloads.finetune.overrides"),
}


def changed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The stack prod with some settings changed; the keys are dotted paths, as messages have them."""
    whole = copy.deepcopy(stack("prod"))
    for path, value in changes.items():
        section, *steps = path.split(".")
        node, keys = whole["config"], [section if ":" in section else PREFIX + section, *steps]
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = value
    return whole


@pytest.mark.parametrize("case", GOOD)
def test_what_the_program_takes_is_as_the_schema_says(case: str) -> None:
    assert mistakes(changed(GOOD[case])) == []


@pytest.mark.parametrize("case", BAD)
def test_the_schema_refuses_a_mistake_where_it_is(case: str) -> None:
    changes, where = BAD[case]
    where = f"config.{where if ':' in where else PREFIX + where}"
    found = mistakes(changed(changes))
    assert len(found) == 1
    assert found[0].startswith(where)


@pytest.mark.parametrize("key", [f"{PREFIX}cluster", PREFIX, "clusters", "region", "aws:", ":region", ""])
def test_a_key_that_is_no_setting_is_refused(key: str) -> None:
    whole = stack("prod")
    whole["config"][key] = {}
    assert mistakes(whole) == ["config"]


@pytest.mark.parametrize("key", ["gcp:project", f"{PREFIX}clusters", f"{PREFIX}federation"])
def test_what_is_required_must_be_there_or_in_an_environment(key: str) -> None:
    whole = stack("prod")
    del whole["config"][key]
    assert mistakes(whole)
    assert mistakes(whole | {"environment": ["prod"]}) == []


def test_a_file_without_settings_or_with_unknown_parts_is_refused() -> None:
    assert mistakes({})
    assert mistakes({"encryptionsalt": "v1:abc"})
    assert mistakes(stack("prod") | {"confg": {}})


def models(of: type[BaseModel] = Stack) -> Iterator[type[BaseModel]]:
    """Every model of the settings."""
    todo, seen = [of], set[type[BaseModel]]()
    while todo:
        model = todo.pop()
        seen.add(model)
        yield model
        for field in model.model_fields.values():
            todo.extend(each for each in _models_in(field.annotation) if each not in seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


@pytest.mark.parametrize("model", dict.fromkeys(models()), ids=lambda model: model.__name__)
def test_every_setting_says_what_to_write_and_what_it_means(model: type[BaseModel]) -> None:
    assert model.__doc__
    for name, field in model.model_fields.items():
        if name == "policy":
            continue
        node: Schema = {"description": field.description or ""}
        assert what_to_write(node), f"{model.__name__}.{name} has no docstring"
        assert not what_to_write(node).endswith("."), f"{model.__name__}.{name}: what to write is no sentence"
        assert meaning(node).endswith("."), f"{model.__name__}.{name} does not say what it means"


def test_the_models_of_the_settings_are_all_found() -> None:
    assert {*get_args(Placement)} < {*models()}
    assert {each.__name__ for each in models()} >= {
        "Cluster",
        "NodePool",
        "Accelerator",
        "Workload",
        "Override",
        "Limit",
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_the_project_describes_every_section(section: str) -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert set(declared) == set(SECTIONS)
    field = Stack.model_fields[section]
    assert declared[section]["type"] == "object"
    # Without a default, Pulumi would require it.
    default: Any = None if field.is_required() else field.get_default(call_default_factory=True) or {}
    assert declared[section].get("default") == default
    (model,) = _models_in(field.annotation)
    described = declared[section]["description"]
    assert [name for name in model.model_fields if name not in described] == []
    assert ("required" in described) == field.is_required()
