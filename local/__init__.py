"""Google Cloud and Pulumi's plugins, stood in for on one machine. Nothing outside this package knows of it."""
