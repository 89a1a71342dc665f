"""What the library knows: parts, names, pipelines, trash, leases, in one database."""
