"""The page for the people who run sessions: a thin layer of HTML over the SQL functions that the commands call.

``sessiondb trainer`` serves it to one person; a platform mounts :func:`create_app` behind its own login.
"""

from sessiondb.trainer.app import create_app

__all__ = ["create_app"]
