"""The Pulumi names of objects in a cluster.

An object that gets another name in its cluster under the same Pulumi name is a replacement. If a run is interrupted
before the old object is deleted, and the change is then reverted, Pulumi would create the old object again and delete
it at the end, since both have one Pulumi name. So whatever an object's name or namespace is made of is in its Pulumi
name too.
"""

import pulumi


def with_alias(name: str, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Options for a resource that an earlier release gave this Pulumi name, so that it is taken over as it is."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name)]))
