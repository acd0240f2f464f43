"""Linking the old rows of a session while the page goes on: one backfill after the other, in a thread."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sessiondb import queries
from sessiondb.backfill import Pace, backfill
from sessiondb.errors import LockNotObtainedError, SessiondbError
from sessiondb.locks import ADVISORY_KEY
from sessiondb.output import shown
from sessiondb.trainer.store import Store, View, Who

_MOST = 100
"""So many sessions wait at most."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _End:
    """How the linking of a session ended: the rows linked; without these it failed, and why is told to who began it."""

    who: Who
    error: SessiondbError | None = None
    linked: int | None = None


@dataclass
class Links:
    """The backfills that this process runs, one at a time; how far the last one is, the database knows."""

    store: Store
    _queue: dict[UUID, Who] = field(default_factory=dict)
    _ends: dict[UUID, _End] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, session: UUID, who: Who) -> None:
        """Link what belongs to a session when those before it are done; nothing more happens where it waits already."""
        with self._lock:
            if session in self._queue:
                return
            if len(self._queue) >= _MOST:
                self._ends[session] = _End(who)
                return
            self._queue[session] = who
            if len(self._queue) == 1:
                threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                session, who = next(iter(self._queue.items()))
            end = self._link(session, who)
            with self._lock:
                del self._queue[session]
                self._ends[session] = end
                if not self._queue:
                    return

    def _link(self, session: UUID, who: Who) -> _End:
        try:
            with self.store.database.connect() as connection:
                queries.require_installed(connection)
                who.become(connection, local=False)
                result = backfill(connection, session, Pace(), lambda line: _log.info(shown(line)), lambda *_: None)
                return _End(who, linked=sum(counts["linked"] for counts in result.tables.values()))
        except LockNotObtainedError as error:  # it names the others: their pids, roles and addresses
            _log.warning("linking session %s: %s", session, shown(error))
            return _End(who)
        except SessiondbError as error:
            return _End(who, error)
        except Exception:  # the others wait
            _log.exception("linking session %s", session)
            return _End(who)

    def progress(self, view: View, session: UUID, who: Who) -> dict[str, Any]:
        """Return how far it is: ``state`` (none, waiting, running, done, stopped, failed), ``linked``, ``percent``.

        Args:
            view: in which each query sees what is committed by then: a run that had ended before the first one is all
                there in the second.
            session: which backfill is asked about.
            who: asks; why it failed is told to who began it.
        """
        with self._lock:
            before = [*self._queue].index(session) if session in self._queue else None
            end = self._ends.get(session)
        (run,) = view.rows("is_linking", key=ADVISORY_KEY)
        (found,) = view.rows("progress", session=session)
        percent = 100 if found["is_finished"] else 100 * found["blocks_done"] // max(found["blocks_total"], 1)
        if before is not None:
            state = "running" if before == 0 and found["is_known"] else "waiting"
        elif end and end.linked is None:
            state = "failed"
        elif found["is_known"]:
            state = "done" if found["is_finished"] else "running" if run["is_running"] else "stopped"
        elif end:
            state, percent, found["linked"] = "done", 100, end.linked
        else:
            state = "none"
        error = end.error if end and end.who == who else None
        return {"state": state, "linked": found["linked"], "percent": percent, "before": before or 0, "error": error}
