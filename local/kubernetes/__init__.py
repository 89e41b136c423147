"""A stand-in for Pulumi's kubernetes plugin, for machines that do not have it: server-side apply, diffs and awaits."""
