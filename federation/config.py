"""KubeFed's configuration, whole: the controller exits where a part of it is missing."""

from typing import Any


def kubefed_config() -> dict[str, Any]:
    """The spec of the KubeFedConfig named `kubefed`; the controller reads it once, when it starts."""
    return {
        "scope": "Cluster",
        # A lost member has unavailableDelay to answer again before its replicas run elsewhere; one that answers again
        # is reconciled after availableDelay. KubeFed's defaults of 60 s and 20 s are most of what its users wait for.
        "controllerDuration": {"availableDelay": "3s", "unavailableDelay": "10s", "cacheSyncTimeout": "5m"},
        # KubeFed v0.10.0 does not support lease locks.
        "leaderElect": {
            "leaseDuration": "15s",
            "renewDeadline": "10s",
            "retryPeriod": "5s",
            "resourceLock": "configmaps",
        },
        "featureGates": [
            {"name": "PushReconciler", "configuration": "Enabled"},
            {"name": "RawResourceStatusCollection", "configuration": "Enabled"},
            {"name": "SchedulerPreferences", "configuration": "Enabled"},
        ],
        # A member becomes Ready at the next check after it was registered, so the period bounds that wait. Despite its
        # name, failureThreshold lets a member that has been Ready for long be dropped at its first failure (KubeFed's
        # thresholdAdjustedClusterStatus counts successes, too); what keeps one that is merely slow is the timeout.
        "clusterHealthCheck": {"period": "3s", "failureThreshold": 3, "successThreshold": 1, "timeout": "10s"},
        # Until its caches are filled, each worker of a type is held for 10 s by the first object that it meets; there
        # are more workers than a new cluster has namespaces, so that one is left for the first namespace federated.
        "syncController": {"maxConcurrentReconciles": 32, "adoptResources": "Enabled"},
        "statusController": {"maxConcurrentReconciles": 4},
    }
