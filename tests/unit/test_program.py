"""What the real program asks the engine for, with each stack's real settings."""

import asyncio
import copy
import json
import re
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from clusters.addresses import addresses
from federation.members import Member
from federation.waits import DECLARED, WAIT_FOR, holds
from placement.api.kinds import DEFAULT_TYPES
from tests.objects import deployment
from tests.unit.program import (
    ROOT,
    Asked,
    Run,
    certificate_authority,
    endpoint,
    private_endpoint,
    run_of,
    run_program,
    stack_settings,
    token,
)

NAMESPACE = "kube-federation-system"


pytestmark = pytest.mark.usefixtures("project_folder")


@pytest.fixture(scope="module")
def prod(project_folder: None) -> Run:
    return run_of("prod")


def provider_of(each: Asked) -> str:
    """The cluster whose provider a resource is on."""
    name = each.provider.split("::")[-2] if each.provider else ""
    assert name.endswith("-provider"), f"{each.urn} is on no provider of a cluster, but on {each.provider!r}"
    return name.removesuffix("-provider")


def spec_rules(run: Run) -> list[tuple[str, dict[str, Any]]]:
    return [(each.name, rule) for each in run.kubernetes if each.kind.endswith("Role") for rule in each.inputs["rules"]]


# Names.


def test_logical_names_are_unique(run: Run) -> None:
    urns = [each.urn for each in run.asked]
    assert sorted(urns) == sorted(set(urns))


def test_no_two_objects_of_a_cluster_are_one(run: Run) -> None:
    objects = [
        (provider_of(each), each.type, each.inputs["metadata"].get("namespace"), each.object_name)
        for each in run.kubernetes
    ]
    assert len(objects) > 40
    assert sorted(objects, key=str) == sorted(set(objects), key=str)


# Providers.


def test_every_cluster_has_a_provider_of_its_own(run: Run) -> None:
    providers = run.of_type("pulumi:providers:kubernetes")
    assert {each.name for each in providers} == {f"{name}-provider" for name in run.clusters}
    for each in providers:
        name = each.name.removesuffix("-provider")
        config = yaml.safe_load(each.inputs["kubeconfig"])
        assert config["clusters"][0]["cluster"]["server"] == f"https://{endpoint(name)}"
        assert "kubeconfig" in each.secrets
        # Left out, heuristics may replace everything in the cluster.
        assert name in each.inputs["clusterIdentifier"]


def test_what_gives_kubefed_access_is_made_inside_each_member(run: Run) -> None:
    for name in run.clusters:
        access = f"{name}-{run.host}"
        role = f"kubefed-controller-manager:{access}"
        for kind, object_name in [
            ("ServiceAccount", access),
            ("Secret", access),
            ("ClusterRole", role),
            ("ClusterRoleBinding", role),
        ]:
            assert provider_of(run.one(kind, object_name)) == name
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            (for_types,) = (each for each in run.of_kind(kind) if each.object_name.startswith(f"{role}-types-"))
            assert provider_of(for_types) == name
    namespaces = [each for each in run.of_kind("Namespace") if each.object_name == NAMESPACE]
    assert sorted(map(provider_of, namespaces)) == sorted(run.clusters)


def test_everything_else_is_made_on_the_host(run: Run) -> None:
    inside = {f"{name}-{run.host}" for name in run.clusters} | {NAMESPACE}
    federation = [
        each
        for each in run.kubernetes
        if each.object_name not in inside
        and not each.object_name.startswith("kubefed-controller-manager:")
        and each.kind != "StorageClass"
        and not each.object_name.startswith("kubefed-leaves-")
    ]
    assert {each.kind for each in federation} >= {
        "CustomResourceDefinition",
        "KubeFedConfig",
        "KubeFedCluster",
        "FederatedTypeConfig",
        "FederatedNamespace",
        "FederatedDeployment",
        "FederatedJob",
        "Deployment",
    }
    assert {provider_of(each) for each in federation} == {run.host}


# Registration.


def test_each_member_is_registered_at_its_own_endpoint(run: Run) -> None:
    registrations = {each.object_name: each for each in run.of_kind("KubeFedCluster")}
    assert set(registrations) == set(run.clusters)
    for name, each in registrations.items():
        spec = each.inputs["spec"]
        assert spec["apiEndpoint"] == f"https://{private_endpoint(name)}"
        assert spec["caBundle"] == certificate_authority(name)
        assert each.inputs["metadata"]["namespace"] == NAMESPACE
        assert each.inputs["metadata"]["labels"].items() >= {
            ("role", run.clusters[name]["role"]),
            ("region", run.clusters[name]["region"]),
        }
        credentials = run.one("Secret", spec["secretRef"]["name"])
        assert credentials.inputs["stringData"] == {"token": token(f"{name}-{run.host}")}


def test_tokens_are_secret_wherever_they_go(run: Run) -> None:
    for each in run.kubernetes:
        for key, value in each.inputs.items():
            if "token of" in json.dumps(value):
                assert key in each.secrets, f"{each.name} shows a token in {key}"
    assert len([each for each in run.of_kind("Secret") if "stringData" in each.secrets]) == len(run.clusters)


def test_a_token_is_secret_from_where_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK hides a Secret's own data; what else is made of a token has to be hidden by the program.
    hidden: list[asyncio.Future[bool]] = []
    access = Member._access  # pyright: ignore[reportPrivateUsage]

    def watched(self: Member, *arguments: Any) -> pulumi.Output[str]:
        token = access(self, *arguments)
        hidden.append(asyncio.ensure_future(token.is_secret()))
        return token

    monkeypatch.setattr(Member, "_access", watched)
    run_program("dev", stack_settings("dev"))
    assert [each.result() for each in hidden] == [True, True]


def test_pods_are_given_no_token_of_kubefeds_account(run: Run) -> None:
    for name in run.clusters:
        assert run.one("ServiceAccount", f"{name}-{run.host}").inputs["automountServiceAccountToken"] is False


def test_another_number_is_another_token_of_one_member_alone() -> None:
    raw = stack_settings("local")
    raw["federation"] = {**raw["federation"], "tokens": {"serving": 2}}
    rotated = run_program("local", raw)
    before, after = ({each.name: each.inputs for each in every.kubernetes} for every in (run_of("local"), rotated))
    one, another = before.pop("serving-token-1"), after.pop("serving-token-2")
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    # What keeps the token on the host, and the registration, from which the controller learns of it.
    assert changed == {"serving-credentials", "serving-registration"}
    assert (one["metadata"]["name"], another["metadata"]["name"]) == ("serving-training", "serving-training-2")
    assert one["metadata"]["annotations"] == another["metadata"]["annotations"]


def _elsewhere(raw: dict[str, Any]) -> None:
    for workload in raw["workloads"].values():
        workload["namespace"] = f"{workload['namespace']}-2"


def _more_types(raw: dict[str, Any]) -> None:
    raw["federation"] = {**raw["federation"], "types": [*DEFAULT_TYPES, "limitranges"]}


def _other_tokens(raw: dict[str, Any]) -> None:
    raw["federation"] = {**raw["federation"], "tokens": dict.fromkeys(raw["clusters"], 2)}


@pytest.mark.parametrize("change", [_elsewhere, _more_types, _other_tokens])
def test_what_gets_another_name_in_its_cluster_gets_another_for_pulumi(
    change: Callable[[dict[str, Any]], None],
) -> None:
    raw = copy.deepcopy(stack_settings("prod"))
    change(raw)
    before, after = (
        {each.name: (each.object_name, each.inputs["metadata"].get("namespace")) for each in every.kubernetes}
        for every in (run_of("prod"), run_program("prod", raw))
    )
    assert before != after
    # Else a change that is broken off and taken back would end with the object deleted.
    both = before.keys() & after.keys()
    assert {name: before[name] for name in both} == {name: after[name] for name in both}


def test_a_cluster_that_is_no_member_is_there_and_is_unknown_to_the_federation() -> None:
    raw = stack_settings("local")
    raw["clusters"] = {**raw["clusters"], "serving": {**raw["clusters"]["serving"], "member": False}}
    run = run_program("local", raw)
    assert run.cluster("serving")
    assert {each.object_name for each in run.of_kind("KubeFedCluster")} == {"training", "serving-asia"}
    inside = [each for each in run.kubernetes if provider_of(each) == "serving"]
    assert {each.kind for each in inside} == {"StorageClass"}
    assert run.outputs["members"].keys() == {"training", "serving-asia"}
    assert run.outputs["serving_kubeconfig"]
    for decisions in run.outputs["placements"].values():
        assert "serving" not in [each["cluster"] for each in decisions]
    federated = [each for each in run.kubernetes if each.type.startswith("kubernetes:types.kubefed.io")]
    assert federated
    assert not [each.name for each in federated if '"serving"' in json.dumps(each.inputs)]


def test_a_role_with_the_rights_to_a_type_outlives_the_objects_of_that_type(run: Run) -> None:
    for_types = [each for each in run.of_kind("ClusterRoleBinding") if "-types-" in each.object_name]
    assert len(for_types) == len(run.clusters) + 1
    for each in run.kubernetes:
        if each.type.startswith("kubernetes:types.kubefed.io"):
            assert {binding.urn for binding in for_types} <= run.needs(each), each.name


def test_a_member_is_ready_before_the_run_goes_on(run: Run) -> None:
    for each in run.of_kind("KubeFedCluster"):
        annotations = each.inputs["metadata"]["annotations"]
        # The second is that what is found is what was written: the provider reads from a cache.
        updated = f'jsonpath={{.metadata.annotations["{DECLARED}"]}}={annotations[DECLARED]}'
        assert json.loads(annotations[WAIT_FOR]) == [updated, holds("Ready")]


def test_nothing_is_awaited_in_a_way_that_warns_until_it_has_a_status(run: Run) -> None:
    awaited = [each.inputs["metadata"].get("annotations", {}).get(WAIT_FOR, "") for each in run.kubernetes]
    assert any(awaited)
    assert not [each for each in awaited if "condition=" in each]


def test_a_member_binds_its_account_to_its_role(run: Run) -> None:
    for name in run.clusters:
        access = f"{name}-{run.host}"
        binding = run.one("ClusterRoleBinding", f"kubefed-controller-manager:{access}").inputs
        assert binding["roleRef"]["name"] == f"kubefed-controller-manager:{access}"
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": access, "namespace": NAMESPACE}]
        secret = run.one("Secret", access).inputs
        assert secret["type"] == "kubernetes.io/service-account-token"
        assert secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] == access


# Order.


def test_the_controller_starts_when_all_it_reads_is_there(run: Run) -> None:
    needs = run.needs(run.one("Deployment", "kubefed-controller-manager"))
    assert run.one("KubeFedConfig", "kubefed").urn in needs
    assert run.one("ClusterRoleBinding", "kubefed-controller").urn in needs
    assert run.one("RoleBinding", "kubefed-controller").urn in needs
    core = [each for each in run.of_kind("CustomResourceDefinition") if ".core.kubefed.io" in each.name]
    assert core
    assert {each.urn for each in core} <= needs


def test_what_the_controller_handles_comes_after_it(run: Run) -> None:
    controller = run.one("Deployment", "kubefed-controller-manager").urn
    handled = [
        each
        for each in run.kubernetes
        if each.kind in ("KubeFedCluster", "FederatedTypeConfig") or each.type.startswith("kubernetes:types.kubefed.io")
    ]
    assert len(handled) > len(run.clusters) + 7
    assert not [each.name for each in handled if controller not in run.needs(each)]


def test_every_custom_resource_comes_after_its_definition(run: Run) -> None:
    definitions = {each.inputs["spec"]["names"]["kind"]: each.urn for each in run.of_kind("CustomResourceDefinition")}
    custom = [each for each in run.kubernetes if "kubefed.io/v1" in each.type]
    assert custom
    assert not [each.name for each in custom if definitions[each.kind] not in run.needs(each)]


def test_workloads_come_after_every_member_and_type(run: Run) -> None:
    ready = {each.urn for each in run.asked if each.kind in ("KubeFedCluster", "FederatedTypeConfig")}
    workloads = [each for each in run.kubernetes if each.type.startswith("kubernetes:types.kubefed.io")]
    assert len(workloads) >= 7
    assert not [each.name for each in workloads if not ready <= run.needs(each)]
    for each in workloads:
        assert each.inputs["metadata"]["annotations"]["pulumi.com/waitFor"]


def test_members_wait_for_nothing_of_each_other(run: Run) -> None:
    for each in run.of_kind("KubeFedCluster"):
        others = set(run.clusters) - {each.object_name, run.host}
        needed = {urn.rpartition("::")[2] for urn in run.needs(each)}
        assert not {f"{other}{part}" for other in others for part in ("", "-token", "-registration")} & needed


def test_a_token_outlives_no_right_of_its_account(run: Run) -> None:
    for name in run.clusters:
        access = f"{name}-{run.host}"
        needs = run.needs(run.one("Secret", access))
        assert run.one("ClusterRoleBinding", f"kubefed-controller-manager:{access}").urn in needs


# Clusters.


def test_each_cluster_is_where_its_settings_say(run: Run) -> None:
    for name, wanted in run.clusters.items():
        cluster = run.cluster(name).inputs
        assert cluster["location"] == wanted["region"]
        assert cluster.get("nodeLocations", []) == wanted.get("zones", [])
        assert cluster["deletionProtection"] == wanted.get("deletion_protection", False)


def test_each_subnet_has_the_ranges_of_its_slot(run: Run) -> None:
    ranges: list[IPv4Network] = []
    for name, wanted in run.clusters.items():
        (subnet,) = (
            each.inputs for each in run.of_type("gcp:compute/subnetwork:Subnetwork") if each.name == f"{name}-subnet"
        )
        plan = addresses(wanted["slot"])
        secondary = {each["rangeName"]: each["ipCidrRange"] for each in subnet["secondaryIpRanges"]}
        assert subnet["region"] == wanted["region"]
        assert subnet["ipCidrRange"] == str(plan.nodes)
        policy = run.cluster(name).inputs["ipAllocationPolicy"]
        assert secondary[policy["clusterSecondaryRangeName"]] == str(plan.pods)
        assert secondary[policy["servicesSecondaryRangeName"]] == str(plan.services)
        assert subnet["privateIpGoogleAccess"] is True
        ranges += map(IPv4Network, [subnet["ipCidrRange"], *secondary.values()])
    assert len(ranges) == 3 * len(run.clusters)
    assert not any(one.overlaps(other) for one in ranges for other in ranges if one is not other)


def test_the_network_makes_no_subnets_by_itself(run: Run) -> None:
    (network,) = run.of_type("gcp:compute/network:Network")
    assert network.inputs["autoCreateSubnetworks"] is False


def test_clusters_are_made_as_gke_advises(run: Run) -> None:
    for name in run.clusters:
        cluster = run.cluster(name).inputs
        assert cluster["removeDefaultNodePool"] is True
        assert cluster["initialNodeCount"] == 1
        assert cluster["datapathProvider"] == "ADVANCED_DATAPATH"
        assert cluster["workloadIdentityConfig"]["workloadPool"] == f"{run.settings['gcp:project']}.svc.id.goog"
        assert cluster["releaseChannel"]["channel"] == "REGULAR"


def test_nodes_run_as_an_account_of_the_clusters_own(run: Run) -> None:
    accounts = {
        each.name: each.inputs["accountId"]
        for each in run.of_type("gcp:serviceaccount/account:Account")
        if each.name.endswith("-nodes-account")
    }
    assert len(set(accounts.values())) == len(run.clusters)
    grants = [each.inputs for each in run.of_type("gcp:projects/iAMMember:IAMMember")]
    for name in run.clusters:
        (account,) = (value for key, value in accounts.items() if key == f"{name}-nodes-account")
        email = f"{account}@project.example"
        configs = [run.cluster(name).inputs["nodeConfig"], *(pool["nodeConfig"] for pool in pools(run, name).values())]
        assert len(configs) >= 3
        assert {each["serviceAccount"] for each in configs} == {email}
        roles = {each["role"] for each in grants if each["member"] == f"serviceAccount:{email}"}
        assert "roles/container.defaultNodeServiceAccount" in roles
        assert not roles & {"roles/editor", "roles/owner"}


def pools(run: Run, cluster: str) -> dict[str, Any]:
    """The inputs of a cluster's node pools, by their names."""
    found = run.of_type("gcp:container/nodePool:NodePool")
    return {each.inputs["name"]: each.inputs for each in found if each.inputs["cluster"] == f"{cluster}_id"}


def test_node_pools_are_those_of_the_settings_and_the_system_pool(run: Run) -> None:
    for name, cluster in run.clusters.items():
        made = pools(run, name)
        assert set(made) == {"system", *cluster["node_pools"]}
        for pool, wanted in cluster["node_pools"].items():
            config, scaling = made[pool]["nodeConfig"], made[pool]["autoscaling"]
            assert config["machineType"] == wanted["machine_type"]
            assert config["spot"] == wanted.get("spot", False)
            assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
            assert (scaling["totalMinNodeCount"], scaling["totalMaxNodeCount"]) == (
                wanted["min_nodes"],
                wanted["max_nodes"],
            )


def test_gpu_pools_carry_the_gpu_taint_exactly_once(run: Run) -> None:
    seen = 0
    for name in run.clusters:
        for pool, made in pools(run, name).items():
            config = made["nodeConfig"]
            taints = [each for each in config.get("taints", []) if each["key"] == "nvidia.com/gpu"]
            accelerators = config.get("guestAccelerators", [])
            assert len(taints) == len(accelerators), f"{name}-{pool}"
            if accelerators:
                seen += 1
                assert taints == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}]
                wanted = run.clusters[name]["node_pools"][pool]["accelerator"]
                assert accelerators[0].items() >= wanted.items()
    assert seen == len(run.clusters)


def test_deletion_protection_protects_in_pulumi_too(run: Run) -> None:
    for name, cluster in run.clusters.items():
        wanted = cluster.get("deletion_protection", False)
        assert run.cluster(name).protect is wanted
        own = [
            each for each in run.of_type("gcp:container/nodePool:NodePool") if each.inputs["cluster"] == f"{name}_id"
        ]
        assert len(own) >= 2
        assert {each.protect for each in own} == {wanted}


def test_production_is_protected_and_nothing_else_is(prod: Run, run: Run) -> None:
    assert all(prod.cluster(name).protect for name in prod.clusters)
    protected = {each.type for each in run.asked if each.protect}
    assert protected <= {
        "gcp:container/cluster:Cluster",
        "gcp:container/nodePool:NodePool",
        "gcp:kms/cryptoKey:CryptoKey",
    }


def test_what_a_cluster_hides_stays_hidden(run: Run) -> None:
    for name in run.clusters:
        assert "masterAuth" in run.cluster(name).additional_secrets


# Rights.


def test_no_role_holds_a_wildcard(run: Run) -> None:
    rules = spec_rules(run)
    assert len(rules) >= 5 * len(run.clusters)
    for name, rule in rules:
        assert "*" not in json.dumps(rule), f"{name}: {rule}"


def test_secrets_of_all_namespaces_are_not_the_controllers(run: Run) -> None:
    for rule in run.one("ClusterRole", "kubefed-controller").inputs["rules"]:
        assert "secrets" not in rule.get("resources", [])


def test_a_member_that_is_lost_is_given_as_long_as_is_promised(run: Run) -> None:
    spec = run.one("KubeFedConfig", "kubefed").inputs["spec"]
    # docs/operations.md and the README promise replicas elsewhere after about 15 s: two checks, and this.
    assert spec["controllerDuration"]["unavailableDelay"] == "10s"
    assert spec["controllerDuration"]["availableDelay"] == "3s"
    assert spec["clusterHealthCheck"]["period"] == "3s"
    assert spec["clusterHealthCheck"]["timeout"] == "10s"


def test_one_controller_outlives_the_drain_of_a_node(run: Run) -> None:
    deployment = run.one("Deployment", "kubefed-controller-manager").inputs["spec"]
    budget = run.one("PodDisruptionBudget", "kubefed-controller-manager").inputs["spec"]
    assert budget["minAvailable"] < deployment["replicas"]
    terms = deployment["template"]["spec"]["affinity"]["podAntiAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert [term["podAffinityTerm"]["topologyKey"] for term in terms] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    labels = deployment["template"]["metadata"]["labels"]
    for selector in (budget["selector"], *(term["podAffinityTerm"]["labelSelector"] for term in terms)):
        assert selector["matchLabels"] == labels


def test_the_controller_runs_without_privileges(run: Run) -> None:
    pod = run.one("Deployment", "kubefed-controller-manager").inputs["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not container["image"].endswith(":latest")


# Workloads.


def shares(run: Run, workload: str) -> dict[str, int]:
    return {each["cluster"]: each["share"] for each in run.outputs["placements"][workload]}


def test_the_training_job_goes_to_the_training_cluster(run: Run) -> None:
    assert {name for name, share in shares(run, "finetune").items() if share} == {"training"}
    for kind in ("FederatedJob", "FederatedConfigMap"):
        spec = run.one(kind, "finetune").inputs["spec"]
        assert spec["placement"]["clusters"] == [{"name": "training"}]
    assert run.one("FederatedServiceAccount", "finetune").inputs["metadata"]["namespace"] == "ai"


def test_a_changed_job_is_another_one_made_when_the_old_one_is_gone(run: Run) -> None:
    options = run.one("FederatedJob", "finetune").options
    # Both have one name in the cluster, so that what is made first would be what is there, and then deleted.
    assert options["deleteBeforeReplace"] is True
    # Kubernetes changes no Job that is there, but for what suspends it, where policies let KubeFed write that.
    fixed = {*options["replaceOnChanges"]}
    template = "spec.template.spec.template" if run.of_kind("MutatingAdmissionPolicy") else "spec.template"
    assert {template, "spec.placement", "spec.overrides"} <= fixed
    assert "spec.template.spec.suspend" not in fixed
    for each in run.kubernetes:
        if each.kind == "FederatedDeployment":
            assert "replaceOnChanges" not in each.options


def test_a_jobs_pods_go_with_it(run: Run) -> None:
    annotations = run.one("FederatedJob", "finetune").inputs["metadata"]["annotations"]
    assert json.loads(annotations["kubefed.io/deleteoption"]) == {"propagationPolicy": "Foreground"}


def test_a_namespace_stays_on_the_host_where_no_workload_of_it_is_placed() -> None:
    # If it left the host by its own placement, KubeFed would delete Jobs there without their pods.
    settings = stack_settings("prod")
    settings["workloads"] = {"inference": settings["workloads"]["inference"]}
    run = run_program("prod", settings)
    (namespace,) = run.of_kind("FederatedNamespace")
    clusters = [each["name"] for each in namespace.inputs["spec"]["placement"]["clusters"]]
    assert run.host in clusters and shares(run, "inference")[run.host] == 0


def test_inference_is_spread_over_the_serving_clusters(run: Run) -> None:
    serving = {name for name, each in run.clusters.items() if each["role"] == "serving"}
    assert {name for name, share in shares(run, "inference").items() if share} == serving
    assert sum(shares(run, "inference").values()) == 3
    for kind in ("FederatedService", "FederatedServiceAccount"):
        spec = run.one(kind, "inference").inputs["spec"]
        assert {each["name"] for each in spec["placement"]["clusters"]} == serving
    (rule,) = run.one("FederatedDeployment", "inference").inputs["spec"]["placement"]["clusterSelector"][
        "matchExpressions"
    ]
    assert set(rule["values"]) == serving


def test_what_is_federated_is_what_the_manifests_say(run: Run) -> None:
    for workload in ("finetune", "inference"):
        for manifest in yaml.safe_load_all((ROOT / "workloads" / f"{workload}.yaml").read_text()):
            each = run.one(f"Federated{manifest['kind']}", manifest["metadata"]["name"])
            template = each.inputs["spec"]["template"]
            # KubeFed gives the copies these, and a place of their own has no say in the template.
            body = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata")}
            assert {key: value for key, value in template.items() if key != "metadata"} == body
            assert not {"name", "namespace"} & set(template.get("metadata", {}))


def test_what_has_no_place_in_a_copy_is_left_out_of_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "ai", "labels": {"app": "api"}},
        "stringData": {"key": "very secret"},
    }
    whole = deployment(paused=True)
    (tmp_path / "api.yaml").write_text(yaml.safe_dump_all([secret, whole | {"status": {"replicas": 7}}]))
    monkeypatch.chdir(tmp_path)
    settings = stack_settings("dev")
    settings["workloads"] = {"api": {"manifests": "api.yaml", "namespace": "ai", "placement": {"policy": "spread"}}}
    run = run_program("dev", settings)
    federated = run.one("FederatedSecret", "key")
    assert federated.inputs["spec"]["template"] == {
        "metadata": {"labels": {"app": "api"}},
        "stringData": {"key": "very secret"},
    }
    assert "spec" in federated.secrets
    # An override of the replicas can only replace what is there.
    assert run.one("FederatedDeployment", "api").inputs["spec"]["template"] == {
        "spec": {"replicas": 1, **whole["spec"]}
    }


def test_a_preference_gives_each_serving_cluster_its_share(run: Run) -> None:
    preference = run.one("ReplicaSchedulingPreference", "inference")
    rules = preference.inputs["spec"]["clusters"]
    taken = {name: share for name, share in shares(run, "inference").items() if share}
    assert {name: rules[name]["weight"] / min(each["weight"] for each in rules.values()) for name in taken} == {
        name: share / min(taken.values()) for name, share in taken.items()
    }
    assert preference.inputs["spec"]["totalReplicas"] == sum(taken.values())
    assert run.one("FederatedDeployment", "inference").inputs["spec"]["placement"]["clusters"] == []


def test_a_preference_finds_the_members_by_a_label_that_they_have(run: Run) -> None:
    selector = run.one("FederatedDeployment", "inference").inputs["spec"]["placement"]["clusterSelector"]
    (rule,) = selector["matchExpressions"]
    for name in run.clusters:
        assert run.one("KubeFedCluster", name).inputs["metadata"]["labels"][rule["key"]] == name


def test_a_namespace_goes_wherever_its_workloads_go(run: Run) -> None:
    spec = run.one("FederatedNamespace", "ai").inputs["spec"]
    assert {each["name"] for each in spec["placement"]["clusters"]} == set(run.clusters)
    assert run.one("FederatedNamespace", "ai").inputs["metadata"]["namespace"] == "ai"


def test_every_enabled_type_is_federated_and_defined(run: Run) -> None:
    types = {each.object_name for each in run.of_kind("FederatedTypeConfig")}
    default = {"deployments.apps", "jobs.batch", "services", "configmaps", "secrets", "serviceaccounts"}
    closed = run.settings["federation"].get("default_deny", False)
    assert types == {"namespaces", *default, *(["networkpolicies.networking.k8s.io"] if closed else [])}
    definitions = {each.object_name for each in run.of_kind("CustomResourceDefinition")}
    for each in run.of_kind("FederatedTypeConfig"):
        federated = each.inputs["spec"]["federatedType"]
        assert f"{federated['pluralName']}.{federated['group']}" in definitions


# Outputs: what others rely on.


def test_outputs_are_those_of_the_contract(run: Run) -> None:
    expected = {
        f"{name}_{part}" for name in run.clusters for part in ("cluster_name", "cluster_endpoint", "kubeconfig")
    }
    assert set(run.outputs) == expected | {"members", "placements", "readme"}
    assert run.secret_outputs == {f"{name}_kubeconfig" for name in run.clusters}


def test_outputs_of_a_cluster_are_its_own(run: Run) -> None:
    for name in run.clusters:
        assert run.outputs[f"{name}_cluster_name"] == f"{name}-1234567"
        assert run.outputs[f"{name}_cluster_endpoint"] == endpoint(name)
        config = yaml.safe_load(run.outputs[f"{name}_kubeconfig"])
        # Its name's certificate is of a public authority.
        assert config["clusters"][0]["cluster"] == {"server": f"https://{endpoint(name)}"}


def test_the_readme_names_the_stacks_own_clusters_and_live_outputs(run: Run) -> None:
    readme: str = run.outputs["readme"]
    for name in run.clusters:
        assert f"| `{name}` |" in readme
        assert f"output {name}_kubeconfig --show-secrets" in readme
    # Pulumi fills in what is there, and leaves what is not as it is.
    named = [each.split(".") for each in re.findall(r"\$\{outputs\.([^}]+)\}", readme)]
    assert len(named) == 4 * len(run.clusters)
    for root, *path in named:
        value: Any = run.outputs[root]
        for key in path:
            value = value[key]
        assert isinstance(value, str)
        assert root not in run.secret_outputs
    assert not re.search(r"(?<!\$)\{\w+\}", readme)


def test_members_tell_region_role_and_labels(run: Run) -> None:
    assert set(run.outputs["members"]) == set(run.clusters)
    registered = {each.object_name: each.inputs["metadata"]["labels"] for each in run.of_kind("KubeFedCluster")}
    for name, member in run.outputs["members"].items():
        assert set(member) == {"region", "role", "labels"}
        assert member["region"] == run.clusters[name]["region"]
        assert member["role"] == run.clusters[name]["role"]
        assert member["labels"].items() >= {("region", member["region"]), ("role", member["role"])}
        assert registered[name].items() >= member["labels"].items()


def test_placements_tell_share_and_reason_for_every_cluster(run: Run) -> None:
    assert set(run.outputs["placements"]) == set(run.settings["workloads"])
    for decisions in run.outputs["placements"].values():
        assert [each["cluster"] for each in decisions] == sorted(run.clusters)
        for each in decisions:
            assert set(each) == {"cluster", "share", "reason"}
            assert isinstance(each["share"], int | float)
            assert each["reason"]


# Runs of another sort.


def test_a_preview_of_a_new_stack_needs_nothing_of_the_cloud_and_tells_every_decision(
    prod: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_: told.append(text))  # pyright: ignore
    preview = run_program("preview", prod.settings, preview=True)
    assert {each.urn.split("::", 2)[2] for each in preview.asked} == {each.urn.split("::", 2)[2] for each in prod.asked}
    placements: dict[str, list[dict[str, Any]]] = prod.outputs["placements"]
    for decisions in placements.values():
        # One table for each workload, with a line for each cluster.
        (lines,) = (table for each in told if (table := each.splitlines()[1:]) and decisions[0]["reason"] in table[0])
        for line, decision in zip(lines, decisions, strict=True):
            assert line.split(maxsplit=2) == [decision["cluster"], str(int(decision["share"])), decision["reason"]]


def test_a_bad_setting_ends_the_run_before_anything_is_asked_for() -> None:
    settings = stack_settings("dev")
    settings["clusters"]["serving"]["region"] = "europe-west99"
    with pytest.raises(pulumi.RunError) as raised:
        run_program("dev", settings)
    message = str(raised.value)
    assert "clusters.serving.region" in message
    assert "'europe-west99'" in message
    assert "write " in message
    assert "Traceback" not in message
    # Nothing that would print a stack trace of the cause.
    assert raised.value.__suppress_context__


def test_a_stack_without_settings_is_told_what_to_write() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run_program("empty", {})
    for setting in ("gcp:project", "clusters"):
        assert f"{setting}: required" in str(raised.value)


def test_settings_of_other_programs_are_none_of_its_business() -> None:
    run = run_program("dev", stack_settings("dev") | {"gcp:region": "us-west1", "other:clusters": "text"})
    assert run.asked


def test_a_stack_of_one_cluster_is_enough() -> None:
    settings = stack_settings("dev")
    del settings["clusters"]["serving"], settings["workloads"]
    run = run_program("dev", settings)
    assert [each.object_name for each in run.of_kind("KubeFedCluster")] == ["training"]
    assert run.outputs["placements"] == {}


def test_what_happens_to_a_cluster_moves_no_other(prod: Run) -> None:
    settings = stack_settings("prod")
    settings["clusters"] = dict(reversed(settings["clusters"].items()))
    del settings["clusters"]["serving"]
    fewer = run_program("prod", settings)
    kept = {each.urn: each for each in prod.asked if "gcp:" in each.type}
    for each in fewer.asked:
        if "gcp:" in each.type:
            assert each.inputs == kept[each.urn].inputs
