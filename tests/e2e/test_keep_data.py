"""Nothing is lost: what is scaled to 0 stays, pods end with their Job, data is deleted only if allowed."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.api import Api
from tests.e2e.project import Done, Project, eventually, found

UP = "pulumi up --yes --skip-preview"
LABELS = {"app": "vecdb"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
# No node has this label, and no setting says so: pods stay pending, where a simulated pod of a Job would end at once.
NOWHERE = {"nodeSelector": {"example.com/disk": "tape"}}
POD = {**NOWHERE, "restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}
JOB = "/apis/batch/v1/namespaces/batch/jobs/train"
FEDERATED_JOB = "/apis/types.kubefed.io/v1beta1/namespaces/batch/federatedjobs/train"
JOB_PODS = "/api/v1/namespaces/batch/pods"


def body(kind: str, version: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def vecdb(replicas: int, **service: Any) -> list[dict[str, Any]]:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "db", "image": "db:1"}]}}
    spec: dict[str, Any] = {
        "serviceName": "vecdb",
        "replicas": replicas,
        "selector": {"matchLabels": LABELS},
        "template": template,
        "volumeClaimTemplates": [{"metadata": {"name": "storage"}, "spec": CLAIM}],
    }
    return [
        body("Service", "v1", "vecdb", spec={"selector": LABELS, "ports": [{"port": 6333}], **service}),
        body("PersistentVolumeClaim", "v1", "snapshots", spec=CLAIM),
        body("StatefulSet", "apps/v1", "vecdb", spec=spec),
    ]


def job(image: str = "a:1", parallelism: int = 2) -> dict[str, Any]:
    template = {"spec": {**POD, "containers": [{"name": "a", "image": image}]}}
    return body("Job", "batch/v1", "train", spec={"parallelism": parallelism, "template": template})


def owners() -> list[dict[str, Any]]:
    """One of each kind that owns pods."""

    def spec(name: str, where: dict[str, Any] = NOWHERE, **more: Any) -> dict[str, Any]:
        labels = {"app": name}
        containers = [{"name": "a", "image": "a:1"}]
        template = {"metadata": {"labels": labels}, "spec": {**where, "containers": containers}}
        return {"selector": {"matchLabels": labels}, "template": template, **more}

    return [
        job(),
        body("Deployment", "apps/v1", "a", spec=spec("a")),
        body("ReplicaSet", "apps/v1", "b", spec=spec("b")),
        body("DaemonSet", "apps/v1", "c", spec=spec("c", where={})),
        body("StatefulSet", "apps/v1", "d", spec=spec("d", serviceName="d")),
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("data"))
    settings = project.settings()
    settings["config"]["geo-federation:federation"]["types"] = [
        *("deployments.apps", "jobs.batch", "services", "configmaps", "secrets", "serviceaccounts"),
        *("statefulsets.apps", "replicasets.apps", "daemonsets.apps", "persistentvolumeclaims"),
    ]
    settings["config"]["geo-federation:workloads"] = {}
    project.write_settings(settings)
    declare(project, "db", "data", ["serving"], vecdb(3))
    with project.taken_down():
        project.make("up").ok()
        yield project


def declare(
    project: Project, name: str, namespace: str, clusters: list[str], objects: list[dict[str, Any]], **more: Any
) -> None:
    project.declare_workload(name, namespace, {"policy": "clusters", "clusters": clusters}, *objects, **more)


def remove(project: Project, name: str) -> None:
    settings = project.settings()
    del settings["config"]["geo-federation:workloads"][name]
    project.write_settings(settings)


def uids(api: Api) -> dict[str, str]:
    """What the database has in a cluster: its copies, and the claims of its StatefulSet."""
    existing: dict[str, str] = {}
    for path in ("api/v1/namespaces/data/services", "api/v1/namespaces/data/persistentvolumeclaims"):
        existing |= {f"{path} {each['metadata']['name']}": each["metadata"]["uid"] for each in api.list(f"/{path}")}
    sets = api.list("/apis/apps/v1/namespaces/data/statefulsets")
    return existing | {f"set {each['metadata']['name']}": each["metadata"]["uid"] for each in sets}


def pods(api: Api) -> set[str]:
    return {each["metadata"]["name"] for each in api.list(JOB_PODS)}


def check_gone(api: Api, path: str) -> None:
    assert found(api, path) is None


def refused(project: Project, command: str = UP) -> Done:
    """A run that ends before anything is changed."""
    before = uids(project.api("serving"))
    done = project.shell(command)
    assert done.code != 0 and "Traceback" not in done.output, done.output
    assert "data would be deleted; nothing was changed" in done.output, done.output
    assert uids(project.api("serving")) == before
    return done


def test_what_is_scaled_to_0_stays_as_it_is(project: Project) -> None:
    serving = project.api("serving")
    before = uids(serving)
    assert "set vecdb" in before and len(before) >= 4
    declare(project, "db", "data", ["serving"], vecdb(0))
    project.shell(UP).ok()
    assert uids(serving) == before
    assert serving.get("/apis/apps/v1/namespaces/data/statefulsets/vecdb")["spec"]["replicas"] == 0
    declare(project, "db", "data", ["serving"], vecdb(3))
    project.shell(UP).ok()
    assert uids(serving).items() >= before.items()
    project.check_unchanged()


@pytest.mark.parametrize("change", ["moved", "removed", "without its objects", "member", "cluster"])
def test_no_change_deletes_data_without_permission(project: Project, change: str) -> None:
    settings = project.settings()
    try:
        match change:
            case "moved":
                declare(project, "db", "data", ["serving-asia"], vecdb(3))
            case "removed":
                remove(project, "db")
            case "without its objects":
                declare(project, "db", "data", ["serving"], vecdb(3)[:1])
            case _:
                declare(project, "db", "data", ["training"], vecdb(3))
                changed = project.settings()
                clusters = changed["config"]["geo-federation:clusters"]
                if change == "member":
                    clusters["serving"]["member"] = False
                else:
                    del clusters["serving"]
                project.write_settings(changed)
        output = refused(project, "pulumi preview").output
        assert "serving: " in output and "StatefulSet vecdb" in output and "PersistentVolumeClaim" in output
        refused(project)
    finally:
        project.write_settings(settings)
        declare(project, "db", "data", ["serving"], vecdb(3))


def test_a_service_that_becomes_headless_is_re_created(project: Project) -> None:
    serving = project.api("serving")
    path = "/api/v1/namespaces/data/services/vecdb"
    before = serving.get(path)
    assert before["spec"]["clusterIP"] != "None"
    declare(project, "db", "data", ["serving"], vecdb(3, clusterIP="None"))
    assert "replace" in project.shell("pulumi preview").ok().output
    project.shell(UP).ok()
    assert serving.get(path)["spec"]["clusterIP"] == "None"
    project.check_unchanged()


def test_a_claim_that_would_be_another_is_refused(project: Project) -> None:
    objects = vecdb(3, clusterIP="None")
    objects[1]["spec"] = {**CLAIM, "storageClassName": "other"}
    declare(project, "db", "data", ["serving"], objects)
    done = project.shell("pulumi preview")
    assert done.code != 0 and "PersistentVolumeClaim snapshots: spec.storageClassName" in done.output, done.output
    declare(project, "db", "data", ["serving"], vecdb(3, clusterIP="None"))


def test_pods_are_deleted_with_every_kind_of_owner(project: Project) -> None:
    declare(project, "owners", "batch", ["training"], owners())
    project.shell(UP).ok()
    training = project.api("training")
    kinds = ("Job", "ReplicaSet", "DaemonSet", "StatefulSet")

    def check_there() -> None:
        owned = {owner["kind"] for each in training.list(JOB_PODS) for owner in each["metadata"]["ownerReferences"]}
        assert owned == {*kinds}
        assert len(pods(training)) >= 6

    eventually(check_there, 30)
    # Another workload keeps the namespace, in which nothing else would remove them.
    declare(project, "keeper", "batch", ["training"], [body("ConfigMap", "v1", "keeper", data={})])
    declare(project, "owners", "batch", ["training"], owners(), delete_data=True)
    project.shell(UP).ok()
    remove(project, "owners")
    project.shell(UP).ok()

    def check_none() -> None:
        assert pods(training) == set()

    eventually(check_none, 30)


def test_a_changed_job_starts_when_the_pods_of_the_old_one_have_ended(project: Project) -> None:
    training = project.api("training")
    declare(project, "train", "batch", ["training"], [job()])
    project.shell(UP).ok()
    eventually(lambda: check_pods(training, 2), 20)
    before = pods(training)
    # A pod that no Job owns any more, as an earlier release left them.
    orphan = {"metadata": {"name": "left", "labels": {"batch.kubernetes.io/job-name": "train"}}, "spec": POD}
    training.create(JOB_PODS, {"apiVersion": "v1", "kind": "Pod", **orphan})
    declare(project, "train", "batch", ["training"], [job("a:2")])
    with ThreadPoolExecutor() as pool:
        up = pool.submit(project.shell, UP)
        eventually(lambda: check_gone(training, FEDERATED_JOB), 60)
        assert pods(training) == {"left"}
        # Long enough for the next one to be made, if it were not waiting.
        time.sleep(5)
        assert not up.done()
        check_gone(training, FEDERATED_JOB)
        training.delete(f"{JOB_PODS}/left")
        output = up.result().ok().output
    assert "Job batch/train starts when the pods of the one before have ended" in output
    eventually(lambda: check_pods(training, 2), 20)
    assert not pods(training) & before


def check_pods(api: Api, count: int) -> None:
    assert len(pods(api)) == count


def test_a_job_that_moves_leaves_no_pod_behind(project: Project) -> None:
    training, serving = project.api("training"), project.api("serving")
    # Away from the host, which keeps the namespace, and then from a member, which does not.
    declare(project, "train", "batch", ["serving"], [job("a:2")])
    declare(project, "keeper", "batch", ["serving"], [body("ConfigMap", "v1", "keeper", data={})])
    project.shell(UP).ok()
    eventually(lambda: check_pods(serving, 2), 20)
    assert pods(training) == set()
    remove(project, "train")
    project.shell(UP).ok()
    eventually(lambda: check_pods(serving, 0), 20)
    check_gone(serving, JOB)


def test_a_job_of_no_parallelism_stays(project: Project) -> None:
    declare(project, "train", "batch", ["serving"], [job("a:2", parallelism=0)])
    project.shell(UP).ok()
    assert project.api("serving").get(JOB)["spec"]["parallelism"] == 0


def test_data_is_deleted_where_the_settings_allow_it(project: Project) -> None:
    declare(project, "db", "data", ["serving-asia"], vecdb(3, clusterIP="None"), delete_data=True)
    output = project.shell("pulumi preview").ok().output
    assert "serving: namespace data is removed, with StatefulSet vecdb" in output and "PersistentVolumeClaims" in output
    project.shell(UP).ok()
    assert "set vecdb" in uids(project.api("serving-asia"))
    eventually(lambda: check_gone(project.api("serving"), "/api/v1/namespaces/data"), 60)
    remove(project, "db")
    project.shell(UP).ok()
    eventually(lambda: check_gone(project.api("serving-asia"), "/api/v1/namespaces/data"), 60)
