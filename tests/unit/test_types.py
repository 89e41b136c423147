"""Types that not every cluster serves: known by name or described, and looked for in every member."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.output import Unknown

from federation.crds import federated_crd
from federation.spec import CustomType, Federation
from federation.types import config_once_served, type_config
from placement.api.kinds import DEFAULT_TYPES, KNOWN, TargetType
from placement.manifests.manifest import Manifest
from placement.pods.pods import pod_groups
from problems import SettingsError
from settings import parse
from tests.unit.program import run_program, stack_settings

JOB_SET: dict[str, Any] = {
    "apiVersion": "jobset.x-k8s.io/v1alpha2",
    "kind": "JobSet",
    "metadata": {"name": "train"},
    "spec": {"replicatedJobs": []},
}
NAME = "jobsets.jobset.x-k8s.io"


def settings_with(**federation: Any) -> dict[str, Any]:
    settings = stack_settings("dev")
    settings["federation"] = settings["federation"] | federation
    return settings


def problems(**federation: Any) -> str:
    with pytest.raises(SettingsError) as error:
        raw = settings_with(**federation)
        parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path())
    return str(error.value)


def definition(*versions: str, kind: str = "JobSet", scope: str = "Namespaced") -> dict[str, Any]:
    """The spec of a CRD that has two versions, of which it serves some."""
    all_versions = [{"name": each, "served": each in versions} for each in ("v1alpha2", "v1beta1")]
    return {
        "group": "jobset.x-k8s.io",
        "scope": scope,
        "names": {"kind": kind, "plural": "jobsets"},
        "versions": all_versions,
    }


@pytest.fixture
def with_job_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings with one workload, a JobSet."""
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(JOB_SET))
    monkeypatch.chdir(tmp_path)
    settings = settings_with(types=["deployments.apps", NAME])
    placement = {"policy": "clusters", "clusters": ["serving"]}
    settings["workloads"] = {"train": {"manifests": "train.yaml", "namespace": "ai", "placement": placement}}
    return settings


def test_every_member_is_asked_for_a_type_before_it_is_enabled(with_job_sets: dict[str, Any]) -> None:
    run = run_program("dev", with_job_sets, served={NAME: definition("v1alpha2")})
    asked_in = {each.provider.rpartition("::")[0]: each for each in run.read}
    assert len(asked_in) == len(run.read) == len(run.clusters) == 2
    assert {each.inputs["id"] for each in run.read} == {NAME}
    enabled = run.one("FederatedTypeConfig", NAME)
    assert enabled.inputs["spec"]["targetType"]["version"] == "v1alpha2"
    assert {each.urn for each in run.read} <= enabled.dependencies
    assert not {each.urn for each in run.read} & run.needs(run.one("FederatedTypeConfig", "deployments.apps"))
    spec = run.one("FederatedJobSet", "train").inputs["spec"]
    assert spec["placement"]["clusters"] == [{"name": "serving"}]
    assert spec["template"]["spec"] == JOB_SET["spec"]


def test_what_members_answer_decides_whether_a_type_is_enabled(
    with_job_sets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def once_served(target: TargetType, definitions: dict[str, Any]) -> dict[str, Any]:
        return {"type": target.config_name, "asked": {name: each["scope"] for name, each in definitions.items()}}

    monkeypatch.setattr("federation.types.config_once_served", once_served)
    run = run_program("dev", with_job_sets, served={NAME: definition("v1alpha2")})
    answers = dict.fromkeys(run.clusters, "Namespaced")
    assert run.one("FederatedTypeConfig", NAME).inputs["spec"] == {"type": NAME, "asked": answers}


def test_a_preview_does_not_yet_know_what_new_members_serve(with_job_sets: dict[str, Any]) -> None:
    run = run_program("dev", with_job_sets, preview=True)
    assert len(run.read) == len(run.clusters)
    # Not known, rather than enabled unseen.
    assert isinstance(run.one("FederatedTypeConfig", NAME).inputs["spec"], Unknown)
    assert isinstance(run.one("FederatedTypeConfig", "deployments.apps").inputs["spec"], dict)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (definition("v1alpha2", scope="Cluster"), ["the scope Cluster", "federation.custom_types"]),
        (definition("v1alpha2", kind="Set"), ["kind Set", "federation.custom_types"]),
        (definition("v1beta1"), ["serves no v1alpha2", "v1beta1", "federation.custom_types"]),
    ],
)
def test_a_type_that_a_member_serves_otherwise_is_not_enabled(found: dict[str, Any], expected: list[str]) -> None:
    definitions = {"training": found, "serving": definition("v1alpha2"), "serving-asia": found}
    with pytest.raises(pulumi.RunError) as error:
        config_once_served(KNOWN[NAME], definitions)
    message = str(error.value)
    assert message.startswith(f"federation.types: {NAME}: training ")
    assert all(each in message for each in [*expected, "; serving-asia "]), message
    assert "serving " not in message


def test_a_manifest_of_a_version_that_is_not_enabled_is_refused_with_the_one_that_is(
    with_job_sets: dict[str, Any],
) -> None:
    with_job_sets["federation"]["custom_types"] = {NAME: {"kind": "JobSet", "version": "v1beta1"}}
    sections = {key: with_job_sets[key] for key in ("clusters", "federation", "workloads")}
    instead = r"v1alpha2 is not an enabled type; write apiVersion: jobset\.x-k8s\.io/v1beta1"
    with pytest.raises(SettingsError, match=instead):
        parse(sections, Path.cwd())


QUEUES = "localqueues.kueue.x-k8s.io"


def queue_definition(*versions: str) -> dict[str, Any]:
    every = [{"name": each, "served": each in versions} for each in ("v1beta1", "v1beta2")]
    return {"scope": "Namespaced", "names": {"kind": "LocalQueue", "plural": "localqueues"}, "versions": every}


def test_of_two_versions_that_mean_the_same_one_is_taken_that_every_member_serves() -> None:
    old, both, new = (queue_definition(*each) for each in (("v1beta1",), ("v1beta1", "v1beta2"), ("v1beta2",)))
    for members, version in (([old, both], "v1beta1"), ([both, both], "v1beta1"), ([both, new], "v1beta2")):
        config: dict[str, Any] = config_once_served(KNOWN[QUEUES], {f"m{i}": each for i, each in enumerate(members)})
        assert config["targetType"]["version"] == version
    with pytest.raises(pulumi.RunError, match=r"no version is served by a and b; install the same release in each"):
        config_once_served(KNOWN[QUEUES], {"a": old, "b": new})


def test_a_cluster_scoped_type_is_federated_by_one_that_is_cluster_scoped() -> None:
    custom = {"kind": "Zone", "version": "v1", "scope": "Cluster"}
    raw = settings_with(
        types=["clusterroles.rbac.authorization.k8s.io", "zones.example.com"],
        custom_types={"zones.example.com": custom},
    )
    targets = parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path()).federation.targets()
    assert [each.kind for each in targets] == ["ClusterRole", "Zone"]
    for each in targets:
        config: dict[str, Any] = type_config(each)
        assert (config["targetType"]["scope"], config["federatedType"]["scope"]) == ("Cluster", "Cluster")
        assert federated_crd(each)["spec"]["scope"] == "Cluster"


def test_a_type_that_is_listed_twice_is_enabled_once() -> None:
    settings = settings_with(types=["namespaces", "services", "services", *DEFAULT_TYPES])
    run = run_program("dev", settings)
    enabled = [each.object_name for each in run.of_kind("FederatedTypeConfig")]
    assert sorted(enabled) == sorted(["namespaces", *DEFAULT_TYPES])


def test_what_is_built_in_is_not_looked_for() -> None:
    assert run_program("dev", stack_settings("dev")).read == []


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_known_type_can_be_enabled_by_its_name(name: str) -> None:
    raw = settings_with(types=[name])
    (target,) = parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path()).federation.targets()
    assert target.config_name == name
    CustomType(kind=target.kind, version=target.version)


def test_a_kind_of_another_group_is_not_taken_for_the_built_in_one() -> None:
    job = Federation(host="a", custom_types={"jobs.batch.volcano.sh": CustomType(kind="Job", version="v1alpha1")})
    assert job.known()["jobs.batch.volcano.sh"].counted == ()
    assert job.known()["jobs.batch"].counted == ("parallelism", "completions")


def test_a_described_type_is_enabled_as_described() -> None:
    raw = settings_with(
        types=["trainjobs.example.com"],
        custom_types={"trainjobs.example.com": {"kind": "TrainJob", "version": "v1", "status": False}},
    )
    settings = parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path())
    (target,) = settings.federation.targets()
    assert (target.kind, target.api_version, target.plural, target.has_status) == (
        "TrainJob",
        "example.com/v1",
        "trainjobs",
        False,
    )


VOLCANO = "vcjobs.batch.volcano.sh"
TASKS = {"template": "/spec/tasks/*/template", "count": ["/spec/tasks/*/replicas"]}


def described(**also: Any) -> TargetType:
    custom = {VOLCANO: CustomType.model_validate({"kind": "VcJob", "version": "v1alpha1", **also})}
    return Federation(host="a", types=[VOLCANO], custom_types=custom).targets()[0]


def test_a_description_says_how_a_type_runs_and_where_its_pods_are() -> None:
    target = described(pods=[TASKS])
    assert (target.run, target.counted, target.runs_pods) == ("whole", (), True)
    tasks: list[dict[str, Any]] = [
        {"replicas": 2, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}},
        {"template": {"spec": {"serviceAccountName": "c"}}},
    ]
    groups = pod_groups(Manifest(target, "train", {"metadata": {"name": "train"}, "spec": {"tasks": tasks}}))
    assert [(each.count, each.labels, each.path) for each in groups] == [
        (2, {"a": "b"}, ("spec", "tasks", 0, "template")),
        (1, {}, ("spec", "tasks", 1, "template")),
    ]


def test_a_description_without_pods_is_of_what_is_duplicated() -> None:
    assert (described().run, described().runs_pods) == ("duplicated", False)
    assert (described(run="divided").run, described(run="divided").counted) == ("divided", ("replicas",))


def test_a_description_of_a_known_type_replaces_what_it_says() -> None:
    custom = CustomType.model_validate({"kind": "JobSet", "version": "v1beta1", "run": "duplicated"})
    target = Federation(host="a", types=[NAME], custom_types={NAME: custom}).targets()[0]
    assert target.run == "duplicated" and target.pod_kind.pods == KNOWN[NAME].pod_kind.pods


@pytest.mark.parametrize(
    ("name", "also", "expected"),
    [
        (VOLCANO, {"pods": [{"template": "/spec/template", "count": ["/spec/tasks/*/replicas"]}]}, "template lacks"),
        (VOLCANO, {"pods": [{"template": "spec.template"}]}, "pods.0.template"),
        (VOLCANO, {"run": "spread"}, "divided"),
        (NAME, {"run": "divided"}, "has no number of replicas to divide; write whole or duplicated"),
    ],
)
def test_a_description_of_pods_that_cannot_be_is_refused(name: str, also: dict[str, Any], expected: str) -> None:
    kind = "JobSet" if name == NAME else "VcJob"
    assert expected in problems(custom_types={name: {"kind": kind, "version": "v1alpha2", **also}})


def test_a_type_that_is_not_known_is_to_be_described() -> None:
    assert "'trainjobs.example.com'" in problems(types=["trainjobs.example.com"])
    assert "federation.custom_types" in problems(types=["trainjobs.example.com"])


@pytest.mark.parametrize(
    ("name", "kind", "other"),
    [
        ("jobs.example.com", "TrainJob", "jobs.batch"),
        ("trainjobs.example.com", "Job", "jobs.batch"),
        ("trainjobs.example.com", "JOB", "jobs.batch"),
        ("jobs.example.com", "Job", "jobs.batch"),
        ("spaces.example.com", "Namespace", "namespaces"),
    ],
)
def test_two_types_of_one_plural_or_kind_are_refused(name: str, kind: str, other: str) -> None:
    custom = {name: {"kind": kind, "version": "v1"}}
    output = problems(types=["jobs.batch", name], custom_types=custom)
    assert f"federation.types: '{name}': KubeFed cannot distinguish it from {other}" in output
    assert output.startswith("1 mistake ")


def test_a_type_that_is_not_enabled_is_in_no_ones_way() -> None:
    raw = settings_with(custom_types={"jobs.example.com": {"kind": "Job", "version": "v1"}})
    assert parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path())


def test_a_description_in_the_list_is_sent_to_its_place() -> None:
    output = problems(types=[{"kind": "JobSet", "version": "v1"}])
    assert "federation.types.0:" in output and "federation.custom_types" in output


@pytest.mark.parametrize(
    ("plural", "kind"), [("a" * 54, "TrainJob"), ("trainjobs", "A" * 50), ("t", "T"), ("a" * 54, "A" * 50)]
)
def test_the_longest_names_make_names_that_kubernetes_takes(plural: str, kind: str) -> None:
    name = f"{plural}.example.com"
    federation = Federation(host="a", types=[name], custom_types={name: CustomType(kind=kind, version="v1")})
    names = federated_crd(federation.targets()[0])["spec"]["names"]
    assert max(len(each) for each in names.values()) <= 63


@pytest.mark.parametrize(
    ("name", "described"),
    [
        ("trainjobs", {"kind": "TrainJob", "version": "v1"}),
        ("TrainJobs.example.com", {"kind": "TrainJob", "version": "v1"}),
        ("trainjobs.example", {"kind": "TrainJob", "version": "v1"}),
        ("trainjobs.", {"kind": "TrainJob", "version": "v1"}),
        ("train-.example.com", {"kind": "TrainJob", "version": "v1"}),
        (f"{'a' * 55}.example.com", {"kind": "TrainJob", "version": "v1"}),
        (f"trainjobs.{'a' * 64}.com", {"kind": "TrainJob", "version": "v1"}),
        (f"trainjobs{'.abcdefghi' * 25}", {"kind": "TrainJob", "version": "v1"}),
        ("trainjobs.example.com", {"kind": "A" * 51, "version": "v1"}),
        ("trainjobs.example.com", {"kind": "Train-Job", "version": "v1"}),
        ("trainjobs.example.com", {"kind": "TrainJob", "version": "v1", "namespaced": False}),
        ("trainjobs.example.com", {"kind": "trainjob", "version": "v1"}),
        ("trainjobs.example.com", {"kind": "TrainJob", "version": "1"}),
        ("trainjobs.example.com", {"kind": "TrainJob"}),
        ("deployments.apps", {"kind": "Deployment", "version": "v1"}),
    ],
)
def test_a_description_that_cannot_be_is_refused(name: str, described: dict[str, str]) -> None:
    output = problems(custom_types={name: described})
    assert "\n  federation.custom_types" in output
    assert "write" in output or "remove it" in output


def test_claims_come_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []

    def warn(text: str, *_: object) -> None:
        warned.append(text)

    monkeypatch.setattr(pulumi.log, "warn", warn)
    run_program(
        "dev",
        settings_with(
            types=[
                "deployments.apps",
                "jobs.batch",
                "services",
                "configmaps",
                "serviceaccounts",
                "persistentvolumeclaims",
            ]
        ),
    )
    assert [text for text in warned if "persistentvolumeclaim" in text]
