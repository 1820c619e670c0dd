"""The commands of a team with several machines."""
