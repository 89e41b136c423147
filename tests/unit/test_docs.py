"""The docs, held against the project: commands, links and names. tests/e2e/test_docs.py runs what can be run."""

import re
from pathlib import Path

import pytest
import yaml

from clusters.spec import member_labels
from placement.api.kinds import DEFAULT_TYPES
from placement.copies import place_workload
from problems import SettingsError
from settings import parse
from tests.commands import geofed
from tests.docs import GUIDES, NOT_HERE, PAGES, ROOT, Command, commands, fences, plain, spans
from tests.objects import job
from tests.unit.program import stack_settings

TARGETS = set(re.findall(r"^([a-z][-a-z]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_commands_are_found() -> None:
    found = {each.text: each for each in commands()}
    up = found["make up"]
    assert up.page == "README.md"
    assert not up.whole
    assert any(line.endswith(" created") for line in up.lines)
    members = found["kubectl get kubefedclusters -n kube-federation-system"]
    assert members.whole
    assert plain("serving        62s   True    v1.36.3") in members.lines
    assert 'eval "$(make -s env)"' in found
    assert "pulumi up --refresh" in found


@pytest.mark.parametrize("page", GUIDES)
def test_every_block_of_commands_is_read(page: str) -> None:
    """A block in another language, or in none, would be run by no test."""
    for language, lines in fences((ROOT / page).read_text()):
        assert language in ("console", "mermaid", "yaml"), lines
        assert language != "console" or lines[0].startswith("$ "), lines


def test_what_is_not_run_is_in_the_docs_and_has_a_reason() -> None:
    assert NOT_HERE.keys() <= {each.text for each in commands()}
    assert all(len(reason.split()) > 3 for reason in NOT_HERE.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not link.startswith(("https://", "#")):
            assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_and_module_that_is_named_is_there(page: Path) -> None:
    text = page.read_text()
    for code in [*spans(text), *("\n".join(lines) for _, lines in fences(text))]:
        named = set(re.findall(r"\bmake (?:-\S+ |[A-Z]+=\S+ )*([a-z][-a-z]*)", code))
        assert named <= TARGETS, code
        for module in re.findall(r"python -m ([\w.]+)", code):
            file = ROOT / module.replace(".", "/")
            assert module == "pytest" or file.with_suffix(".py").exists() or (file / "__main__.py").exists(), code


def test_the_workload_of_the_readme_is_placed(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text().partition("### A workload of your own")[2]
    manifests, config, *_ = ("\n".join(lines) for language, lines in fences(text) if language == "yaml")
    workloads = yaml.safe_load(config)["config"]["geo-federation:workloads"]
    (tmp_path / "workloads").mkdir()
    (tmp_path / workloads["hello"]["manifests"]).write_text(manifests)
    local = {key: each for key, each in stack_settings("local").items() if ":" not in key}
    settings = parse(local | {"workloads": workloads}, tmp_path)
    labels = {name: member_labels(cluster) for name, cluster in settings.members.items()}
    placed = place_workload(settings.workloads["hello"], settings.manifests["hello"], labels)
    assert sorted(each.share for each in placed.decisions) == [1, 1, 2]


def _stack_of_the_readme(folder: Path, old: str = "", new: str = "") -> None:
    """Writes the stack of the README's Placement, with another text in place of one of its own."""
    text = (ROOT / "README.md").read_text().partition("## Placement")[2]
    blocks = ("\n".join(lines).replace(old, new) for language, lines in fences(text) if language == "yaml")
    config, job_set, autoscaler = blocks
    machines = {
        "training": ("us-west1", {"h100": {"machine_type": "a3-highgpu-8g", "max_nodes": 2}}),
        "training-east": ("us-east5", {"h100": {"machine_type": "a3-highgpu-8g", "max_nodes": 8}}),
        "serving": ("europe-west1", {"l4": {"machine_type": "g2-standard-8", "max_nodes": 8}}),
        "serving-asia": ("asia-southeast1", {"l4": {"machine_type": "g2-standard-8", "max_nodes": 8}}),
    }
    clusters = {
        name: {"region": region, "slot": slot, "role": name.partition("-")[0], "node_pools": pools}
        for slot, (name, (region, pools)) in enumerate(machines.items())
    }
    types = ["jobsets.jobset.x-k8s.io", "horizontalpodautoscalers.autoscaling", *DEFAULT_TYPES]
    settings = yaml.safe_load(config)["config"] | {
        "gcp:project": "p",
        "geo-federation:clusters": clusters,
        "geo-federation:federation": {"host": "training", "types": types},
    }
    (folder / "Pulumi.ai.yaml").write_text(yaml.safe_dump({"config": settings}, sort_keys=False))
    (folder / "workloads").mkdir(exist_ok=True)
    pod = {"containers": [{"name": "a", "image": "b", "resources": {"limits": {"nvidia.com/gpu": 1}}}]}
    files = {
        "pretrain": job_set,
        "inference": f"{(ROOT / 'workloads' / 'inference.yaml').read_text()}---\n{autoscaler}",
        "evaluate": yaml.safe_dump(job("evaluate", pod, parallelism=3)),
    }
    for name, content in files.items():
        (folder / "workloads" / f"{name}.yaml").write_text(content)


def test_the_stack_of_the_readme_is_placed_as_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _stack_of_the_readme(tmp_path)
    (explain,) = (each for each in commands() if "--stack ai" in each.text)
    assert geofed(*explain.text.split()[3:]) == 0
    assert explain.lines == [plain(line) for line in capsys.readouterr().out.splitlines() if line]


@pytest.mark.parametrize(
    ("old", "new"),
    [("maxReplicas: 12", "maxReplicas: 40"), ("{policy: nearest, to: us-west1}", "{policy: spread}")],
    ids=["autoscaler", "policy"],
)
def test_what_the_readme_shows_as_refused_is_refused_with_these_words(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _stack_of_the_readme(tmp_path, old, new)
    assert geofed("explain", "--stack", "ai") == 2
    message = capsys.readouterr().err.partition("\n")[2]
    assert " ".join(message.split()) in " ".join((ROOT / "README.md").read_text().split())


def test_every_file_of_placement_is_on_its_map() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## The map of placement")[2].partition("\n## ")[0]
    named = re.findall(r"`(?:\w+/)*(\w+\.py)`", text)
    files = {file.name for file in (ROOT / "placement").rglob("*.py")} - {"__init__.py"}
    assert {*named} == files
    assert len(named) == len(files)


def test_every_decision_is_in_the_index() -> None:
    pages = {file.name for file in (ROOT / "docs" / "decisions").glob("*.md")} - {"README.md"}
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert pages == set(re.findall(r"\]\(([-a-z]+\.md)\)", index))


def test_what_differs_from_run_to_run_is_left_out_and_nothing_else() -> None:
    assert plain(" +  a:Cluster serving created (0.95s)") == plain("+ a:Cluster  serving created (12s)")
    assert plain("inference-cbb7bdb9c-hvgnv 1/1 47s") == plain("inference-7d9f8b6c54-x2x4z 1/1 1m12s")
    assert plain("inference 2 of 3") != plain("inference 1 of 3")
    assert plain("Pulumi.dev.yaml:13") != plain("Pulumi.dev.yaml:14")
    assert Command("", "", ("a", "...")).lines == ["a"]


def test_the_queued_training_is_placed_as_its_page_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "queued-training.md").read_text()
    shown, manifests = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    raw = {key: each for key, each in stack_settings("prod").items() if ":" not in key}
    for name, each in yaml.safe_load(shown)["config"].items():
        section = name.removeprefix("geo-federation:")
        if section == "clusters":
            for cluster, settings in each.items():
                raw[section][cluster] |= settings
        else:
            raw[section] = {**raw[section], **each} if section == "federation" else each
    (tmp_path / "workloads").mkdir()
    (tmp_path / "workloads" / "pretrain.yaml").write_text(manifests)
    with pytest.raises(SettingsError, match=r'write kubernetes: "1\.36" or newer in clusters\.serving'):
        raw["workloads"]["pretrain"]["placement"] = {"policy": "spare-capacity"}
        parse(raw, tmp_path)
    raw["workloads"]["pretrain"]["placement"] = {"policy": "nearest", "to": "us-west1", "count": 1}
    for cluster in raw["clusters"].values():
        cluster["kubernetes"] = "1.36"
    (decision,) = (each for each in parse(raw, tmp_path).decided.workloads["pretrain"].decisions if each.taken)
    assert decision.cluster == "training"
    assert decision.reason.startswith("runs whole; ")
