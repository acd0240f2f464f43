"""sessiondb: links enrolments and submissions to training sessions, inside PostgreSQL."""

__version__ = "0.2.0.dev0"
