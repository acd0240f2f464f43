"""Linking the old rows of a session while the page goes on: a backfill in a thread, one for each session."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sessiondb import records
from sessiondb.backfill import Pace, backfill
from sessiondb.errors import SessiondbError
from sessiondb.locks import ADVISORY_KEY
from sessiondb.trainer.store import Store, View, Who


@dataclass
class _Job:
    thread: threading.Thread
    notes: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass
class Links:
    """The backfills that this process runs; how far each is, the database knows."""

    store: Store
    _jobs: dict[UUID, _Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, session: UUID, who: Who) -> None:
        """Link what belongs to a session; nothing more happens where that is under way."""
        with self._lock:
            job = self._jobs.get(session)
            if job and job.thread.is_alive():
                return
            self._jobs[session] = job = _Job(threading.Thread(target=self._run, args=[session, who], daemon=True))
            job.thread.start()

    def _run(self, session: UUID, who: Who) -> None:
        with self._lock:
            job = self._jobs[session]
        try:
            with self.store.database.connect() as connection:
                records.require_installed(connection)
                who.become(connection, local=False)
                backfill(connection, session, Pace(), job.notes.append, lambda *_: None)
        except SessiondbError as error:
            job.error = " ".join(filter(None, [*error.lines, error.hint]))

    def progress(self, view: View, session: UUID) -> dict[str, Any]:
        """Return how far it is: ``state`` (none, waiting, running, done, stopped, failed), ``linked``, ``percent``.

        Args:
            view: in which each query sees what is committed by then: a run that had ended before the first one is all
                there in the second.
            session: which backfill is asked about.
        """
        job = self._jobs.get(session)
        is_ours = job is not None and job.thread.is_alive()
        (run,) = view.rows("is_linking", key=ADVISORY_KEY)
        (found,) = view.rows("progress", session=session)
        percent = 100 if found["is_finished"] else 100 * found["blocks_done"] // max(found["blocks_total"], 1)
        if is_ours:
            state = "running" if found["is_known"] else "waiting"
        elif job and job.error:
            state = "failed"
        elif found["is_known"]:
            state = "done" if found["is_finished"] else "running" if run["is_running"] else "stopped"
        else:
            state = "none"
        return {"state": state, "linked": found["linked"], "percent": percent, "error": job.error if job else None}
