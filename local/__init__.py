"""Stand-ins for Google Cloud and Pulumi's plugins on one machine. Nothing outside this package imports it."""
