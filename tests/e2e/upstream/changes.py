"""Objects that differ from a valid one in a single place, to see that two validators say the same of each."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from hypothesis import strategies as st

# Each in place of a value of its type, or of any.
_OF_ANY: tuple[Any, ...] = (None, {}, [], ["text"], "text", 7)
_TEXTS = (
    "",
    "Text",
    "te.xt",
    "te_xt",
    "-text",
    "text-",
    "te xt",
    "9text",
    "*",
    "0s",
    "-1s",
    "15",
    "1h15m",
    ".5s",
    "1d",
    # The longest label and the longest domain, and one more than each.
    "t" * 63,
    "t" * 64,
    f"t.{'t' * 251}",
    f"t.{'t' * 252}",
)
# What may stand in one another's place.
_CHOICES = (
    {"Enabled", "Disabled"},
    {"Cluster", "Namespaced"},
    {"Running", "NotRunning"},
    {"True", "False", "Unknown"},
    {"Ready", "Offline", "ConfigMalformed"},
    {"configmaps", "endpoints", "leases"},
    {"PushReconciler", "SchedulerPreferences", "RawResourceStatusCollection"},
    {"*", "SubjectName", "ValidityPeriod"},
)
_NUMBERS = (0, -1, 1, 2**40, 0.5, True)

_ENDPOINTS = (
    *(
        "host",
        "host:443",
        "host:0",
        "host:00080",
        "host:65535",
        "host:65536",
        "host:99999999999999999999",
        "host:",
        ":443",
    ),
    *(
        "host/",
        "host//",
        "host/path",
        "host?query",
        "//host",
        "/path",
        "user@host",
        "[::1]",
        "[::1]:443",
        "[::1",
        "ho st",
    ),
    *(
        "https://host/path?query",
        "HTTPS://host",
        "https:///path",
        "https://",
        "https://:443",
        "https:host",
        "ftp://host",
    ),
    *(
        "https://[fe80::1%25en0]:443",
        "https://user:word@host:443",
        "https://host:port",
        "http://http://host",
        "1http://host",
    ),
    *(
        "https://host/path#part",
        "https://host:443/%zz",
        "https://ho%20st",
        "http:/host",
        "h%74tp://host",
        "?query",
        " ",
    ),
)
_PROXIES = (
    "socks5://host:1080",
    "SOCKS5://host",
    "http:",
    "http:host",
    "https://",
    "//host",
    "http://[::1",
    "http://ho st",
)
_LEADERS = (
    *(
        ("15s", "15s", "5s"),
        ("15s", "14s999ms", "5s"),
        ("16s", "12s", "10s"),
        ("16s", "12s1ms", "10s"),
        ("10s", "15s", "5s"),
    ),
    *(("2ms", "1ms", "1ms"), ("1m0s", "59s", "49s"), ("1m0s", "59s", "50s"), ("1h", "59m59s", "1ns")),
)


def changes(body: Mapping[str, Any], section: str) -> Iterator[dict[str, Any]]:
    """Copies of an object, with one value of its spec or below its status left out or replaced in each."""
    whole = [((section,), body[section])] if section == "spec" else []
    for path, value in (*whole, *_values(body[section], (section,))):
        yield _changed(body, path)
        of_type = _texts(value) if isinstance(value, str) else _NUMBERS if isinstance(value, int) else ()
        for other in (*_OF_ANY, *of_type):
            yield _changed(body, path, other)
        if isinstance(value, list):
            yield _changed(body, path, [*cast(list[Any], value), value[0]])


def _texts(value: str) -> list[str]:
    choices = next((each for each in _CHOICES if value in each), set[str]())
    return [*_TEXTS, *sorted(choices - {value, *_TEXTS})]


def created(types: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What matters when an object is new: a type config's name, and a scope, which cannot be changed later."""
    for name in ("deployments", "apps", "deployments.batch", "deployment.apps"):
        yield {**types, "metadata": {"name": name}}
    for plural in ("pods", "p.ods", "9pods", "p" * 63, "p" * 64):
        target = {"version": "v1", "kind": "Pod", "pluralName": plural, "scope": "Namespaced"}
        yield {**_changed(types, ("spec", "targetType"), target), "metadata": {"name": plural}}
    for scope in ("Cluster", "Namespaced", "Global", ""):
        yield _changed(config, ("spec", "scope"), scope)


def hard_cases(clusters: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What is easily got wrong: addresses, and how long a leader leads."""
    for endpoint in _ENDPOINTS:
        yield _changed(clusters, ("spec", "apiEndpoint"), endpoint)
    for proxy in _PROXIES:
        yield _changed(clusters, ("spec", "proxyURL"), proxy)
    for checks in (["*"], ["*", "*"], ["*", "SubjectName"], ["SubjectName", "ValidityPeriod"], ["Expiry"]):
        yield _changed(clusters, ("spec", "disabledTLSValidations"), checks)
    for lease, renew, retry in _LEADERS:
        times = {"leaseDuration": lease, "renewDeadline": renew, "retryPeriod": retry, "resourceLock": "endpoints"}
        yield _changed(config, ("spec", "leaderElect"), times)


_LEAVES = (
    st.sampled_from([*_OF_ANY, *_TEXTS, *_ENDPOINTS, *_NUMBERS, *sorted(word for words in _CHOICES for word in words)])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.integers(-(2**40), 2**40)
)
_ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def fuzzed(draw: st.DrawFn, body: Mapping[str, Any], section: str) -> dict[str, Any]:
    """A copy of an object with one to three places in a section left out, or replaced by their like or by anything."""
    places = list(_values(body[section], (section,)))
    for path, value in draw(st.lists(st.sampled_from(places), min_size=1, max_size=3, unique_by=lambda each: each[0])):
        # What is of another type is refused for that alone, and says nothing of the finer rules.
        alike = st.sampled_from([*_texts(value), *_ENDPOINTS]) if isinstance(value, str) else st.sampled_from(_NUMBERS)
        likely = alike if isinstance(value, str | int) else _ANYTHING
        # What is inside of a place that has changed already is gone.
        with suppress(KeyError, IndexError, TypeError):
            body = _changed(body, path, draw(st.one_of(likely, likely, st.just(_ABSENT), _ANYTHING)))
    return dict(body)


def _values(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    inside: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        inside = list(cast(Mapping[str, Any], value).items())
    elif isinstance(value, list):
        inside = list(enumerate(cast(list[Any], value)))
    for key, part in inside:
        yield (*path, key), part
        yield from _values(part, (*path, key))


_ABSENT = object()


def _changed(body: Mapping[str, Any], path: Sequence[str | int], value: Any = _ABSENT) -> dict[str, Any]:
    changed: Any = copy.deepcopy(dict(body))
    at: Any = changed
    for key in path[:-1]:
        at = at[key]
    if value is _ABSENT:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed
