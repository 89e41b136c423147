"""`python -m local.kubernetes`: the plugin's program."""

from local.kubernetes.plugin import KubernetesPlugin
from local.plugin import serve

serve(KubernetesPlugin())
