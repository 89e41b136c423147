"""What Pulumi calls what stands in a cluster.

Under one name of Pulumi's, an object that gets another name in its cluster is a replacement. Where a run is broken off
before the old object is deleted, and the change is then taken back, Pulumi would make the old object again and delete
it at the end, for by name they are one. So whatever an object's name or namespace is made of is in Pulumi's name too.
"""

import pulumi


def with_alias(name: str, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """The options of a resource that an earlier release called by this name, so that it is taken over as it is."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name)]))
