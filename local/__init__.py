"""Stand-ins for Google Cloud and Pulumi's plugins on one machine. The program does not import this package."""
