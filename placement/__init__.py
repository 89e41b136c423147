"""Where workloads go, and why: pure functions of the settings, the manifests and what was measured."""
