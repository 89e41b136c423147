"""The plugin as Pulumi's engine starts it: `python -m local.gcp HOME`."""

import sys
from pathlib import Path

from local.gcp.plugin import GcpPlugin
from local.paths import Home
from local.plugin import serve

if __name__ == "__main__":
    serve(GcpPlugin(Home(Path(sys.argv[1]))))
