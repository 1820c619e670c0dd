"""Many machines: a queue in the team's database, and workers that do its jobs, each device one at a time."""
