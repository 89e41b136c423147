"""Names that follow from settings are within what Google Cloud takes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from clusters.node_account import account_id
from clusters.spec import Cluster, member_labels
from problems import LABEL_KEY, LABEL_VALUE, NAME

CLUSTER = st.from_regex(NAME, fullmatch=True).map(str.rstrip)
STACK = st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)


@given(CLUSTER, STACK)
def test_account_ids_are_taken_by_google_cloud(cluster: str, stack: str) -> None:
    assert re.fullmatch(r"[a-z][-a-z0-9]{4,28}[a-z0-9]", account_id(cluster, stack))


@given(st.lists(st.tuples(CLUSTER, STACK), unique=True, min_size=2, max_size=2))
def test_account_ids_of_two_clusters_or_stacks_differ(pairs: list[tuple[str, str]]) -> None:
    one, other = (account_id(*pair) for pair in pairs)
    assert one != other


@given(
    region=st.sampled_from(["us-west1", "europe-west1", "asia-southeast1"]),
    role=st.from_regex(LABEL_VALUE, fullmatch=True).map(str.rstrip).filter(bool),
    labels=st.dictionaries(st.sampled_from(["tier", "example.com/team"]), st.just("gold")),
    accelerators=st.lists(st.sampled_from(["nvidia-l4", "nvidia-h100-80gb"])),
)
def test_a_members_labels_are_taken_by_kubernetes(
    region: str, role: str, labels: dict[str, str], accelerators: list[str]
) -> None:
    pools = {
        f"p{number}": {"machine_type": "g2-standard-8", "accelerator": {"type": each}}
        for number, each in enumerate(accelerators)
    }
    cluster = Cluster.model_validate({"region": region, "slot": 0, "role": role, "labels": labels, "node_pools": pools})
    made = member_labels(cluster)
    assert made.items() >= {("role", role), ("region", region), *labels.items()}
    assert {key.partition("/")[2] for key in made if key.startswith("accelerator/")} == set(accelerators)
    for key, value in made.items():
        assert re.fullmatch(LABEL_KEY, key)
        assert re.fullmatch(LABEL_VALUE, value)
