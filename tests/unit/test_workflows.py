"""What the workflows promise, held against their files."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflows import ACTIONS, ROOT, WORKFLOWS, Job, job, jobs, read
from tools.build import minimum_go
from tools.modules import MODULES

FILES = [*WORKFLOWS, *ACTIONS]
SIGN_IN = "google-github-actions/auth@"
# What a job may do, and what it must do to need that.
RIGHTS = {
    "contents: read": "actions/checkout@",
    "id-token: write": SIGN_IN,
    "pull-requests: write": "ci.comment",
    "issues: write": "ci.drift",
}


def text_of(each: Job) -> str:
    """All that a job uses and runs."""
    return "\n".join(step.get("uses", "") + step.get("run", "") for step in each.steps)


@pytest.fixture(params=[each for each in jobs() if "uses" not in each.body], ids=str)
def each_job(request: pytest.FixtureRequest) -> Job:
    return request.param


def test_every_workflow_is_there() -> None:
    assert {file.name for file in WORKFLOWS} == {"dev.yml", "drift.yml", "prod.yml", "pull-request.yml", "test.yml"}
    assert len(jobs()) == 9


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_action_is_pinned_by_commit(file: Path) -> None:
    for line in re.findall(r"^.*\buses:.*$", file.read_text(), re.MULTILINE):
        own = re.search(r"uses: \./(\S+)$", line)
        if own:
            assert (ROOT / own[1]).exists(), line
        else:
            assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_each_action_has_one_version() -> None:
    pins = {pin for file in FILES for pin in re.findall(r"uses: ([\w-]+/[\w-]+)(@.*)$", file.read_text(), re.MULTILINE)}
    assert len({action for action, _ in pins}) == len(pins) == 7


def test_no_workflow_knows_a_secret_or_a_key() -> None:
    for file in FILES:
        text = file.read_text()
        assert not re.search(r"\bsecrets\s*[.\[:]", text), file
        for word in ("credentials_json", "service_account_key", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"):
            assert word not in text, f"{file}: {word}"


def test_no_workflow_runs_what_a_fork_sends_with_rights() -> None:
    for file in WORKFLOWS:
        triggers = read(file)["on"]
        names = {triggers} if isinstance(triggers, str) else set(triggers)
        assert names <= {"pull_request", "push", "release", "schedule", "workflow_call", "workflow_dispatch"}, file


@pytest.mark.parametrize("provider", ["", "projects/1/…"])
@pytest.mark.parametrize("head", ["someone/geo-federation", "owner/geo-federation"])
def test_a_fork_or_a_new_repository_gets_the_stand_ins(provider: str, head: str) -> None:
    known = {
        "vars.GOOGLE_IDENTITY_PROVIDER": provider,
        "github.event.pull_request.head.repo.full_name": head,
        "github.repository": "owner/geo-federation",
    }
    run = {each.name for each in jobs() if each.file == "pull-request.yml" and holds(each.body.get("if", ""), known)}
    signs_in = provider and head == "owner/geo-federation"
    assert run == {"unit", "preview" if signs_in else "preview-on-stand-ins"}
    (comment,) = (step for step in job("pull-request.yml", "preview-on-stand-ins").steps if "ci.comment" in str(step))
    assert holds(comment["if"], known) == (head == "owner/geo-federation")


def holds(condition: str, known: dict[str, str]) -> bool:
    """Whether a condition of the few forms that the workflows have is true; one of another form is an error."""
    words = re.findall(r"\S+", condition.removeprefix("${{").removesuffix("}}")) or ["true"]
    plain = {"&&": "and", "||": "or", "==": "==", "!=": "!=", "''": "''", "true": "True", "!cancelled()": "True"}
    return eval(" ".join(plain.get(word) or repr(known[word]) for word in words))


def test_what_pulls_in_google_cloud_waits_for_the_variables() -> None:
    for each in jobs():
        if SIGN_IN in text_of(each):
            first = each if "if" in each.body else job(each.file, each.body["needs"])
            assert "vars.GOOGLE_IDENTITY_PROVIDER != ''" in first.body["if"], each


def test_a_workflow_has_no_rights_of_its_own() -> None:
    assert [file.name for file in WORKFLOWS if read(file)["permissions"] != {}] == []


def test_each_job_has_the_rights_that_it_needs(each_job: Job) -> None:
    needed = {right for right, reason in RIGHTS.items() if reason in text_of(each_job)}
    assert {f"{key}: {value}" for key, value in each_job.body["permissions"].items()} == needed


def test_each_job_ends(each_job: Job) -> None:
    assert 0 < int(each_job.body["timeout-minutes"]) <= 180


def test_no_checkout_leaves_its_token_behind(each_job: Job) -> None:
    checkouts = [step for step in each_job.steps if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"]


def test_no_script_holds_what_others_write(each_job: Job) -> None:
    assert "${{" not in each_job.script


def test_nothing_that_touches_a_stack_is_broken_off(each_job: Job) -> None:
    touches = re.search(r"\bpulumi (up|refresh|destroy)\b|\bci\.(preview|drift)\b", each_job.script)
    concurrency: dict[str, Any] = each_job.body.get("concurrency", {})
    assert bool(touches) == bool(concurrency)
    assert concurrency.get("cancel-in-progress", "false") == "false"
    assert "cancel-in-progress" in concurrency or not concurrency


@pytest.mark.parametrize(
    ("file", "stack", "trigger"),
    [("dev.yml", "dev", {"push": {"branches": ["main"]}}), ("prod.yml", "prod", {"release": {"types": ["published"]}})],
)
def test_each_stack_is_changed_in_its_environment_and_one_run_at_a_time(
    file: str, stack: str, trigger: dict[str, Any]
) -> None:
    assert read(ROOT / ".github" / "workflows" / file)["on"] == trigger
    up = job(file, "up")
    assert up.body["environment"] == up.body["env"]["STACK"] == stack
    assert up.body["concurrency"]["group"] == f"stack-{stack}"
    # What is half-way made is orphaned where a run ends before its clusters are there.
    assert int(up.body["timeout-minutes"]) >= 120
    assert "GOOGLE_UPDATE_ACCOUNT" in str(up.body["steps"])


def test_nothing_else_changes_a_stack() -> None:
    changing = [each for each in jobs() if re.search(r"\bpulumi (up|destroy|import|refresh)\b", each.script)]
    assert {str(each) for each in changing} == {"dev.yml up", "prod.yml up"}
    assert "GOOGLE_UPDATE_ACCOUNT" not in str([each.body for each in jobs() if each not in changing])


def test_dev_is_changed_once_every_test_has_passed() -> None:
    assert job("dev.yml", "up").body["needs"] == "test"
    assert job("dev.yml", "test").body["uses"] == "./.github/workflows/test.yml"
    assert job("test.yml", "test").script.splitlines()[-1] == "make test"


def test_both_stacks_are_looked_at_each_night() -> None:
    drift = read(ROOT / ".github" / "workflows" / "drift.yml")
    assert len(drift["on"]["schedule"]) == 1
    look = job("drift.yml", "look").body
    assert look["strategy"] == {"fail-fast": "false", "matrix": {"stack": ["dev", "prod"]}}
    assert look["concurrency"]["group"] == "drift-${{ matrix.stack }}"


def test_every_variable_is_told_at_the_top() -> None:
    told, _, rest = (ROOT / ".github" / "workflows" / "pull-request.yml").read_text().partition("\nname:")
    assert rest
    used = {name for file in FILES for name in re.findall(r"\bvars\.(\w+)", file.read_text())}
    assert used
    assert used == set(re.findall(r"^#   ([A-Z_]+) ", told, re.MULTILINE))


def test_versions_are_those_of_the_project() -> None:
    steps = [step for each in jobs() for step in each.steps]
    (pulumi,) = {step["with"]["pulumi-version"] for step in steps if step.get("uses", "").startswith("pulumi/actions@")}
    assert f"pulumi=={pulumi}\n" in (ROOT / "requirements.txt").read_text()
    (go,) = {step["with"]["go-version"] for step in steps if step.get("uses", "").startswith("actions/setup-go@")}
    assert tuple(map(int, go.split("."))) >= minimum_go(MODULES)


def test_every_python_that_is_named_is_tried() -> None:
    unit = job("pull-request.yml", "unit").body
    tried: list[str] = unit["strategy"]["matrix"]["python"]
    (project,) = (step for step in unit["steps"] if step.get("uses") == "./.github/actions/project")
    assert project["with"] == {"python": "${{ matrix.python }}"}
    told = (ROOT / "CONTRIBUTING.md").read_text().partition("runs the unit tests with ")[2].partition(";")[0]
    assert re.findall(r"3\.\d+", told) == tried
    assert f'requires-python = ">={tried[0]}"' in (ROOT / "pyproject.toml").read_text()
