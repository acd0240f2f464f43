"""What must be stored or refused, in plain Python, from R1-R6 and R8 of the design alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


class Incoherent(Exception):  # noqa: N818  (it is an answer, not an error)
    """R6: the session that was given does not fit the row."""


@dataclass
class Session:
    """A row of sessions."""

    org: UUID
    course: UUID
    status: str
    created_at: datetime | None


@dataclass
class Row:
    """A row of enrollments or submissions; a submission may be for no course."""

    user: UUID
    course: UUID | None
    session: UUID | None = None


@dataclass
class Oracle:
    """A learning platform, and what the rules say happens on it."""

    members: set[tuple[UUID, UUID]] = field(default_factory=set)
    """Organisation and user."""
    sessions: dict[UUID, Session] = field(default_factory=dict)
    enrollments: list[Row] = field(default_factory=list)
    submissions: list[Row] = field(default_factory=list)

    def eligible(self, user: UUID, course: UUID | None) -> dict[UUID, Session]:
        """R1."""
        return {
            id_: session
            for id_, session in self.sessions.items()
            if session.course == course and session.status == "active" and (session.org, user) in self.members
        }

    def session_for(self, user: UUID, course: UUID | None) -> UUID | None:
        """R2."""
        eligible = self.eligible(user, course)

        def age(id_: UUID) -> tuple[bool, float, int]:
            created_at = eligible[id_].created_at
            return created_at is not None, created_at.timestamp() if created_at else 0.0, id_.int

        return max(eligible, key=age, default=None)

    def session_for_submission(self, user: UUID, course: UUID | None) -> UUID | None:
        """R4."""
        enrolled = {e.session for e in self.enrollments if (e.user, e.course) == (user, course)}
        kept = enrolled & self.eligible(user, course).keys()
        return kept.pop() if kept else self.session_for(user, course)

    def enroll(self, user: UUID, course: UUID, given: UUID | None) -> UUID | None:
        """R3, R5 and R6."""
        row = Row(user, course, given)
        if given is None:
            row.session = self.session_for(user, course)
        else:
            self.require_coherent(row)
        self.enrollments.append(row)
        return row.session

    def submit(self, user: UUID, course: UUID | None, given: UUID | None) -> UUID | None:
        """R4, R5 and R6."""
        row = Row(user, course, given)
        if given is None:
            row.session = self.session_for_submission(user, course)
        else:
            self.require_coherent(row)
        self.submissions.append(row)
        return row.session

    def move(self, rows: list[Row], given: UUID | None) -> None:
        """R6, an UPDATE of session_id: all rows or none; those that have that session already are not looked at."""
        for row in rows:
            if given not in (None, row.session):
                self.require_coherent(Row(row.user, row.course, given))
        for row in rows:
            if given is row.session is None:
                self.write_again(row)
            else:
                row.session = given

    def write_again(self, row: Row) -> None:
        """R8: an UPDATE of anything else."""
        if row.session is None:
            is_enrollment = any(row is enrollment for enrollment in self.enrollments)
            find = self.session_for if is_enrollment else self.session_for_submission
            row.session = find(row.user, row.course)

    def delete(self, session: UUID) -> None:
        """R6, its end: deleting a session sets it to NULL."""
        del self.sessions[session]
        for row in (*self.enrollments, *self.submissions):
            if row.session == session:
                row.session = None

    def require_coherent(self, row: Row) -> None:
        """R6: of the row's course, and of an organisation that the row's user is a member of."""
        if row.session is None:
            return
        session = self.sessions.get(row.session)
        if session is None or session.course != row.course or (session.org, row.user) not in self.members:
            raise Incoherent
