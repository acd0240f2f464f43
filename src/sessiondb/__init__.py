"""sessiondb: links enrolments and submissions to training sessions, inside PostgreSQL."""
