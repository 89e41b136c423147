"""What the workflows write on GitHub, and how Pulumi's output is shown there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci import comment as comment_command
from ci import preview as preview_command
from ci.engine import Run, fold, reasons, summary, warnings
from ci.github import GitHubError, close_issue, comment, open_issue
from tests.github import GitHub, github


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        yield here


def test_a_page_takes_the_place_of_the_last_one(hub: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "preview.md"
    monkeypatch.setattr("sys.argv", ["comment", "7", str(page)])
    for text in ("first", "second"):
        page.write_text(text)
        assert comment_command.main() == 0
    assert [each["body"] for each in hub.comments] == ["<!-- geo-federation: preview -->\nsecond"]
    assert {call.split()[0] for call in hub.calls if "/issues/7/" not in call} == {"PATCH"}


def test_only_its_own_comment_is_written_anew(hub: GitHub) -> None:
    others = [("<!-- mark --> quoted by a person", "User"), ("another bot's", "Bot"), ("> <!-- mark -->", "Bot")]
    # More than fit on one page.
    for body, by in others * 40:
        hub.add_comment(body, by)
    comment(7, "mark", "first")
    comment(7, "mark", "second")
    assert [(each["body"], each["user"]["type"]) for each in hub.comments[:120]] == others * 40
    assert [each["body"] for each in hub.comments[120:]] == ["<!-- mark -->\nsecond"]


def test_there_is_one_issue_until_it_is_closed(hub: GitHub) -> None:
    close_issue("drift of prod")
    assert hub.issues == []
    open_issue("drift of prod", "Drift", "one")
    open_issue("drift of dev", "Drift", "other")
    open_issue("drift of prod", "Drift", "two")
    assert [each["body"] for each in hub.issues] == ["<!-- drift of prod -->\ntwo", "<!-- drift of dev -->\nother"]
    close_issue("drift of prod")
    assert [each["state"] for each in hub.issues] == ["closed", "open"]
    open_issue("drift of prod", "Drift", "three")
    assert [each["state"] for each in hub.issues] == ["closed", "open", "open"]


def test_a_refusal_names_the_request_and_not_the_token(
    hub: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong-token")
    with pytest.raises(GitHubError) as raised:
        open_issue("mark", "title", "text")
    assert "refused GET" in str(raised.value)
    assert "403" in str(raised.value)
    assert "Resource not accessible" in str(raised.value)
    (tmp_path / "page").write_text("text")
    monkeypatch.setattr("sys.argv", ["comment", "7", str(tmp_path / "page")])
    assert comment_command.main() == 1
    assert "wrong-token" not in capsys.readouterr().err + str(raised.value)
    assert hub.comments == []
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(GitHubError, match="cannot be reached"):
        close_issue("mark")


def test_a_run_is_summed_up_in_a_line() -> None:
    output = "Previewing update (dev):\n...\nResources:\n    + 2 to create\n    ~ 1 to update\n    79 unchanged\n\nmore"
    assert summary(output) == "+ 2 to create, ~ 1 to update, 79 unchanged"
    assert summary("error: no stack named 'dev' found") == ""


def test_what_a_run_has_failed_for_is_found_among_all_that_it_prints() -> None:
    output = """\
        + gcp:container/cluster:Cluster: (create)
            name: "error: of no run"
    pack@v0.0.1 [mandatory]  protection  (gcp:container:Cluster: a)Clusters are protected.
cluster a can be deleted
    pack@v0.0.1 [advisory]  labels  (gcp:container:Cluster: a)Clusters have labels.
    error: 1 mistake in the settings; nothing was changed.
      clusters.a.region: 'x': write another
error: 1 mistake in the settings; nothing was changed.
  clusters.a.region: 'x': write another

error: preview failed
Resources:
    + 150 to create
"""
    assert reasons(output).splitlines() == [
        "pack@v0.0.1 [mandatory]  protection  (gcp:container:Cluster: a)Clusters are protected.",
        "cluster a can be deleted",
        "error: 1 mistake in the settings; nothing was changed.",
        "  clusters.a.region: 'x': write another",
        "error: preview failed",
    ]
    assert reasons("Resources:\n    1 unchanged") == ""


WARNED = """\
Previewing update (dev):
warning: clusters.a.node_pools.l4.max_nodes: the pools can grow to 4 nvidia-l4 in europe-west1, and the quota is 2
not all quotas are compared with the pools: the Cloud Quotas API is off
            name: "warning: of no run"
  pulumi:pulumi:Stack (geo-federation-dev):
    warning: clusters.a.node_pools.l4.max_nodes: the pools can grow to 4 nvidia-l4 in europe-west1, and the quota is 2
    warning: clusters.a.zones: us-central1-ai1a: an AI zone ```
Resources:
    + 150 to create
"""


def test_what_a_run_warns_of_is_found_once() -> None:
    assert warnings(WARNED).splitlines() == [
        "clusters.a.node_pools.l4.max_nodes: the pools can grow to 4 nvidia-l4 in europe-west1, and the quota is 2",
        "clusters.a.zones: us-central1-ai1a: an AI zone ```",
    ]
    assert warnings("Resources:\n    1 unchanged") == ""


@pytest.mark.parametrize("code", [0, 1])
def test_the_page_has_a_line_for_each_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    outputs = {"dev": WARNED, "prod": "Resources:\n    1 unchanged\n"}

    def pulumi(command: str, stack: str, *options: str) -> Run:
        return Run(code, outputs[stack])

    def placements(stack: str) -> str:
        return f"placements of {stack}"

    monkeypatch.setattr(preview_command, "pulumi", pulumi)
    monkeypatch.setattr(preview_command, "_placements", placements)
    monkeypatch.setattr("sys.argv", ["preview", "dev", "prod"])
    assert preview_command.main() == code
    dev, prod = capsys.readouterr().out.split("### prod: ")
    shown = dev.partition("<details>")[0]
    lines = "\n".join(warnings(WARNED).splitlines())
    assert f"The preview warns:\n\n````\n{lines}\n````\n\nplacements of dev" in shown
    assert "warns" not in prod


def test_output_is_folded_and_kept_apart() -> None:
    assert fold("Title", "one\n", 100) == "<details><summary>Title</summary>\n\n```\none\n```\n\n</details>"
    # What it holds must not end the block.
    assert "\n````\nsays ```\n````\n" in fold("Title", "says ```", 100)


def test_what_is_too_long_loses_its_middle() -> None:
    lines = [f"line {number}" for number in range(1000)]
    shown = fold("Title", "\n".join(lines), 500)
    assert len(shown) < 700
    assert "line 0\n" in shown
    assert "line 999\n" in shown
    left_out = [int(word) for word in shown.split() if word.isdigit() and f"... {word} lines" in shown]
    kept = [line for line in shown.splitlines() if line in lines]
    assert 0 <= 1000 - left_out[0] - len(kept) <= 2
