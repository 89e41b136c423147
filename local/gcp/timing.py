"""How long Google Cloud takes, and what it does one at a time."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import quote

from local.gcp.registry import Registry
from local.plugin import Refused


@contextmanager
def taking_time(what: str) -> Generator[None]:
    """Makes its body take at least as many seconds as GKE_SECONDS_CLUSTER, _POOL or _API says."""
    started = time.monotonic()
    yield
    time.sleep(max(0.0, started + float(os.environ.get(f"GKE_SECONDS_{what}", "0")) - time.monotonic()))


@contextmanager
def operation(registry: Registry, cluster: str, what: str) -> Generator[None]:
    """Refuses to start while another operation on a cluster or one of its pools runs, in any process."""
    file = registry.folder / "operations" / quote(cluster, safe="")
    file.parent.mkdir(exist_ok=True)
    with file.open("a+") as running:
        try:
            # The lock is released when its process ends.
            fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running.seek(0)
            other = running.read() or "another"
            why = f"Error 400: Cluster is running incompatible operation: {other} (failedPrecondition)"
            advice = "pools of one cluster change one after another, each depending on the one before"
            raise Refused(f"{why}. {what} cannot begin before it ends: {advice}") from None
        running.truncate(0)
        running.write(what)
        running.flush()
        yield
