"""A plugin as Pulumi's engine starts it; the work is done by a process that the fork server makes for it.

    python local/launcher.py HOME PACKAGE

It imports only the standard library, to be quick. It ends when the engine asks it to or ends, and the plugin
ends with it.
"""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent
_SOCKET = "plugins.sock"
_START_SECONDS = 60


def main() -> None:
    """Hands the engine's pipes and this process's environment over to the fork server, and waits."""
    root, package = sys.argv[1:]
    # Relative, as the path of a socket must be short.
    os.chdir(root)
    connection = _connect() or _start()
    socket.send_fds(connection, [b" "], [1, 2])
    connection.sendall(json.dumps({"package": package, "environment": dict(os.environ)}).encode() + b"\n")
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, frame: connection.shutdown(socket.SHUT_WR))
    until = select.poll()
    until.register(connection, select.POLLIN)
    # Its other end is the engine's, which may be killed before it can end its plugins.
    until.register(1, 0)
    until.poll()


def _connect() -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(_SOCKET)
        return connection
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None


def _start() -> socket.socket:
    """Starts the fork server, unless another launcher has just done so."""
    with Path("plugins.lock").open("w") as lock, Path("plugins.log").open("a") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _connect()
        if found:
            return found
        server = subprocess.Popen(
            [sys.executable, "-m", "local.forkserver", str(Path.cwd())],
            env=os.environ | {"PYTHONPATH": str(_PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            found = _connect()
            if found:
                return found
            time.sleep(0.01)
    sys.exit(f"the plugins' fork server did not start; {Path('plugins.log').resolve()} says why")


if __name__ == "__main__":
    main()
