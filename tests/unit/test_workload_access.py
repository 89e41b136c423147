"""What workloads may reach: buckets, each other's Services, and the network; mistakes are reported first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters.addresses import addresses
from federation.bucket_access import (
    ANNOTATION,
    Access,
    access_of,
    account_email,
    account_id,
    check_buckets,
    pod_accounts,
    with_identity,
)
from federation.network_policies import network_policies
from placement.api.kinds import BUILT_IN, DEFAULT_TYPES, KNOWN, POLICIES
from placement.api.pod_kinds import POD_KINDS
from placement.manifests.manifest import Manifest
from placement.workload import Workload
from problems import SettingsError
from settings import Settings, parse
from tests import objects


def deployment(account: str | None = "api", name: str = "api") -> dict[str, Any]:
    return objects.deployment(name, {"serviceAccountName": account} if account else {})


SERVICE: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api"}}
ACCOUNT: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "api"}}
GOOD = [deployment(), SERVICE, ACCOUNT]
OPENING = {"direction": "ingress", "peer": "cluster", "ports": [80]}


def settings(
    folder: Path,
    objects: list[dict[str, Any]] = GOOD,
    federation: Mapping[str, Any] | None = None,
    **workload: Any,
) -> Settings:
    (folder / "api.yaml").write_text(yaml.safe_dump_all(objects))
    clusters = {
        "a": {"region": "us-west1", "slot": 3, "role": "x"},
        "b": {"region": "us-east1", "slot": 1, "role": "x"},
    }
    plain = {"manifests": "api.yaml", "namespace": "ai", "placement": {"policy": "spread"}}
    whole = {
        "clusters": clusters,
        "federation": {"host": "a", **(federation or {})},
        "workloads": {"api": plain | workload},
    }
    return parse(whole, folder)


FLEET = {"multi_cluster_services": True}
CLOSED = {"default_deny": True}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a bucket without gs://": ({"buckets": {"my-data": "read"}}, "workloads.api.buckets.my-data", "gs:// and its name"),
    "a right that is none": ({"buckets": {"gs://d-1": "own"}}, "workloads.api.buckets.gs://d-1", "'read' or 'write'"),
    "pods that run as nobody": (
        {"buckets": {"gs://d-1": "read"}, "objects": [deployment(None)]},
        "workloads.api.buckets",
        "pods run as ServiceAccount default, which is not in the manifests",
    ),
    "a service account that is elsewhere": (
        {"buckets": {"gs://d-1": "read"}, "objects": [deployment(), SERVICE]},
        "workloads.api.buckets",
        "ServiceAccount api",
    ),
    "buckets without pods": (
        {"buckets": {"gs://d-1": "read"}, "objects": [ACCOUNT]},
        "workloads.api.buckets",
        "no pods",
    ),
    "an export without a fleet": (
        {"export": ["api"]},
        "workloads.api.export",
        "federation.multi_cluster_services: true",
    ),
    "an export of no Service": ({"export": ["apo"], "federation": FLEET}, "workloads.api.export: 'apo'", "write api"),
    "an export that waits for a measurement": (
        {"export": ["api"], "federation": FLEET, "placement": {"policy": "spare-capacity"}},
        "workloads.api.placement.policy: 'spare-capacity'",
        "the settings decide alone",
    ),
    "an opening where nothing is closed": ({"openings": [OPENING]}, "workloads.api.openings", "default_deny: true"),
    "openings without pods": (
        {"openings": [OPENING], "federation": CLOSED, "objects": [SERVICE]},
        "workloads.api.openings",
        "no pods",
    ),
    "a peer that is none": (
        {"openings": [OPENING | {"peer": "world"}], "federation": CLOSED},
        "workloads.api.openings.0.peer: 'world'",
        "not a range of IPv4 addresses",
    ),
    "no ports": (
        {"openings": [OPENING | {"ports": []}], "federation": CLOSED},
        "workloads.api.openings.0.ports",
        "a list of TCP ports",
    ),
    **{
        f"ports {ports}": (
            {"openings": [OPENING | {"ports": ports}], "federation": CLOSED},
            f"workloads.api.openings.0.ports{where}",
            advice,
        )
        for ports, where, advice in (
            (["9000-8000"], ".0: '9000-8000'", "write 8000-9000"),
            ([80, 0], ".1: 0", "write a port from 1 to 65535"),
            (["65000-70000"], ".0: '65000-70000'", "outside 1 to 65535"),
            (["http"], ".0: 'http'", "such as 8080, or a range such as 6379-6390"),
            (["80-90-100"], ".0: '80-90-100'", "not a port"),
            ([True], ".0: True", "not a port"),
            ([8080, "8000-9000", 9443, "9000-9100"], ":", "write [8000-9100, 9443]"),
            ([80, 80], ":", "write [80]"),
        )
    },
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_told(case: str, tmp_path: Path) -> None:
    changes, where, advice = BAD[case]
    with pytest.raises(SettingsError) as raised:
        settings(tmp_path, **changes)
    (problem,) = raised.value.problems
    assert str(problem).startswith(where)
    assert advice in problem.advice


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    taken = settings(
        tmp_path,
        buckets={"gs://my-data": "read"},
        export=["api"],
        openings=[OPENING],
        federation=FLEET | CLOSED,
    )
    assert [each.name for each in taken.manifests["api"]] == [
        "api",
        "api",
        "api",
        "api-default-deny",
        "api-deployments-api",
    ]
    assert [each.type.kind for each in settings(tmp_path).manifests["api"]] == [
        "Deployment",
        "Service",
        "ServiceAccount",
    ]


def test_an_object_with_the_name_of_a_policy_is_told(tmp_path: Path) -> None:
    own = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "api-default-deny"}}
    with pytest.raises(SettingsError, match="api-default-deny"):
        settings(tmp_path, [*GOOD, own], CLOSED | {"types": [*DEFAULT_TYPES, POLICIES.config_name]})


# Buckets.


def test_a_namespaces_account_has_the_buckets_of_all_its_workloads(tmp_path: Path) -> None:
    manifests = settings(tmp_path).manifests["api"]
    plain = {"manifests": "api.yaml", "placement": {"policy": "spread"}}
    workloads = {
        "one": Workload.model_validate(
            plain | {"namespace": "ai", "buckets": {"gs://x-1": "write", "gs://y-1": "read"}}
        ),
        "two": Workload.model_validate(plain | {"namespace": "ai", "buckets": {"gs://x-1": "read"}}),
        "none": Workload.model_validate(plain | {"namespace": "web"}),
    }
    assert access_of(workloads, dict.fromkeys(workloads, manifests)) == {
        "ai": Access({"x-1": "write", "y-1": "read"}, ["api"])
    }


ACTS: dict[str, Any] = {"spec": {"serviceAccountName": "api", "containers": [{"name": "a", "image": "b"}]}}
ROLES: dict[str, Any] = {"Master": {"template": ACTS}, "Worker": {"replicas": 2, "template": ACTS}}
RAY: dict[str, Any] = {"headGroupSpec": {"template": ACTS}, "workerGroupSpecs": [{"template": ACTS, "replicas": 1}]}
TRAIN_JOB: dict[str, Any] = {
    "runtimeRef": {"name": "torch"},
    "podSpecOverrides": [
        {"targetJobs": [{"name": "node"}], "serviceAccountName": "api"},
        {"targetJobs": [{"name": "dataset-initializer"}], "serviceAccountName": "other"},
    ],
}
WITH_ACCOUNT: dict[str, dict[str, Any]] = {
    "pods": ACTS["spec"],
    "deployments.apps": {"template": ACTS},
    "replicasets.apps": {"template": ACTS},
    "statefulsets.apps": {"template": ACTS},
    "daemonsets.apps": {"template": ACTS},
    "jobs.batch": {"template": ACTS},
    "cronjobs.batch": {"jobTemplate": {"spec": {"template": ACTS}}},
    "jobsets.jobset.x-k8s.io": {"replicatedJobs": [{"name": "a", "template": {"spec": {"template": ACTS}}}]},
    "leaderworkersets.leaderworkerset.x-k8s.io": {"leaderWorkerTemplate": {"size": 2, "workerTemplate": ACTS}},
    "rayclusters.ray.io": RAY,
    "rayjobs.ray.io": {"rayClusterSpec": RAY},
    "rayservices.ray.io": {"rayClusterConfig": RAY},
    "mpijobs.kubeflow.org": {"mpiReplicaSpecs": ROLES},
    "pytorchjobs.kubeflow.org": {"pytorchReplicaSpecs": ROLES},
    "tfjobs.kubeflow.org": {"tfReplicaSpecs": ROLES},
    "xgboostjobs.kubeflow.org": {"xgbReplicaSpecs": ROLES},
    "paddlejobs.kubeflow.org": {"paddleReplicaSpecs": ROLES},
    "trainjobs.trainer.kubeflow.org": TRAIN_JOB,
    "inferenceservices.serving.kserve.io": {"predictor": {"serviceAccountName": "api", "model": {}}},
    "sparkapplications.sparkoperator.k8s.io": {
        "driver": {"serviceAccount": "api"},
        "executor": {"serviceAccount": "api"},
    },
}


def test_every_kind_that_runs_pods_can_use_buckets() -> None:
    assert WITH_ACCOUNT.keys() == POD_KINDS.keys()


@pytest.mark.parametrize("name", WITH_ACCOUNT)
def test_buckets_are_for_the_pods_of_every_kind(name: str) -> None:
    kind = KNOWN[name]
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "it"}, "spec": WITH_ACCOUNT[name]}
    manifests = [Manifest(kind, "it", body), Manifest(KNOWN["serviceaccounts"], "api", ACCOUNT)]
    plain = {
        "manifests": "a",
        "namespace": "ai",
        "placement": {"policy": "spread"},
        "buckets": {"gs://my-data": "read"},
    }
    assert pod_accounts(manifests) == ["api"]
    assert list(check_buckets("w", Workload.model_validate(plain), manifests)) == []
    (problem,) = check_buckets("w", Workload.model_validate(plain), manifests[:1])
    assert "pods run as ServiceAccount api, which is not in the manifests" in problem.advice


def test_account_ids_are_googles_and_of_no_other_stack() -> None:
    ids = [account_id(namespace, stack) for namespace in ("ai", "1" * 63, "a-b") for stack in ("dev", "prod")]
    assert len(set(ids)) == len(ids)
    assert all(6 <= len(each) <= 30 and each[0] == "w" and "--" not in each for each in ids)


@pytest.mark.parametrize(
    ("project", "expected"),
    [("my-project", "w@my-project.iam.gserviceaccount.com"), ("a.org:p", "w@p.a.org.iam.gserviceaccount.com")],
)
def test_an_accounts_address_is_known_before_it_is_made(project: str, expected: str) -> None:
    assert account_email("w", project) == expected


def test_only_the_pods_service_accounts_act_as_googles(tmp_path: Path) -> None:
    kept = {"metadata": {"name": "api", "annotations": {"a": "b"}}}
    manifests = settings(tmp_path, [deployment(), ACCOUNT | kept, ACCOUNT | {"metadata": {"name": "x"}}]).manifests[
        "api"
    ]
    own = {each.name: each.body["metadata"] for each in with_identity(manifests, "e") if each.type.kind != "Deployment"}
    assert own["api"]["annotations"] == {"a": "b", ANNOTATION: "e"}
    assert "annotations" not in own["x"]
    assert manifests[1].body["metadata"]["annotations"] == {"a": "b"}


# Network policies.


def policies(**workload: Any) -> dict[str, dict[str, Any]]:
    plain = {"manifests": "a", "namespace": "ai", "placement": {"policy": "spread"}}
    manifests = [Manifest(BUILT_IN["deployments.apps"], "api", deployment())]
    made = network_policies("w", Workload.model_validate(plain | workload), manifests, [addresses(1), addresses(3)])
    return {each.name: each.body["spec"] for each in made}


def test_a_namespace_is_closed_but_for_names_and_tokens() -> None:
    (deny,) = policies().values()
    assert deny["podSelector"] == {}
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny
    assert [{port["port"] for port in rule["ports"]} for rule in deny["egress"]] == [{53}, {80, 988}]
    # Names are Kubernetes' own, and tokens of this very node.
    assert [sorted(peer) for rule in deny["egress"] for peer in rule["to"]] == [
        ["namespaceSelector"],
        *[["ipBlock"]] * 2,
    ]


PEERS: list[tuple[str, list[Any]]] = [
    ("namespace", [{"podSelector": {}}]),
    ("cluster", [{"namespaceSelector": {}}]),
    ("192.168.7.0/24", [{"ipBlock": {"cidr": "192.168.7.0/24"}}]),
    (
        "members",
        [
            {"namespaceSelector": {}},
            *({"ipBlock": {"cidr": cidr}} for cidr in ("10.0.16.0/20", "10.65.0.0/16", "10.0.48.0/20", "10.67.0.0/16")),
        ],
    ),
]


@pytest.mark.parametrize(("peer", "expected"), PEERS)
def test_an_opening_is_for_its_peer_and_ports_alone(peer: str, expected: list[Any]) -> None:
    made = policies(openings=[{"direction": "ingress", "peer": peer, "ports": [8000, 9000]}])["w-deployments-api"]
    assert made["podSelector"] == {"matchLabels": {"app": "api"}}
    ports = [{"protocol": "TCP", "port": port} for port in (8000, 9000)]
    assert made["ingress"] == [{"from": expected, "ports": ports}]
    assert "egress" not in made


def test_a_range_of_ports_is_one_rule() -> None:
    ports = [8080, "6379-6390", "443", "7000-7000"]
    made = policies(openings=[{"direction": "egress", "peer": "cluster", "ports": ports}])["w-deployments-api"]
    assert made["egress"][0]["ports"] == [
        {"protocol": "TCP", "port": 8080},
        {"protocol": "TCP", "port": 6379, "endPort": 6390},
        {"protocol": "TCP", "port": 443},
        {"protocol": "TCP", "port": 7000},
    ]


def test_all_ports_are_open_also_for_what_knows_no_ranges() -> None:
    made = policies(openings=[{"direction": "egress", "peer": "cluster", "ports": ["1-65535"]}])["w-deployments-api"]
    assert made["egress"][0]["ports"] == [{"protocol": "TCP"}]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_workloads_own_pods_are_opened_at_both_ends(direction: str) -> None:
    made = policies(openings=[{"direction": direction, "peer": "workload", "ports": [6379]}])["w-deployments-api"]
    own, ports = [{"podSelector": {"matchLabels": {"app": "api"}}}], [{"protocol": "TCP", "port": 6379}]
    assert (made["ingress"], made["egress"]) == ([{"from": own, "ports": ports}], [{"to": own, "ports": ports}])


def test_the_internet_is_what_is_not_private() -> None:
    made = policies(openings=[{"direction": "egress", "peer": "internet", "ports": [443]}])["w-deployments-api"]
    (rule,) = made["egress"]
    assert rule["to"][0]["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(rule["to"][0]["ipBlock"]["except"])


def test_buckets_are_open_where_they_are_named() -> None:
    made = policies(buckets={"gs://my-data": "read"})["w-deployments-api"]
    assert [rule["ports"] for rule in made["egress"]] == [[{"protocol": "TCP", "port": 443}]]
