"""What sessiondb costs, against the physical floor and against what a team would do instead."""
