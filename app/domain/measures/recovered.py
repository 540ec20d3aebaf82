"""Counts and durations of complaint handling, as one group of cases stands at as_of."""

from __future__ import annotations

from typing import NamedTuple


class Durations(NamedTuple):
    """Seconds from the opening to what was waited for; `censored`: waited so far, still waiting at as_of."""

    ended: tuple[float, ...] = ()
    censored: tuple[float, ...] = ()


class ResolvedCases(NamedTuple):
    """Cases by the time of their final resolution (throughput).

    `reopened_open` were resolved, reopened and are open again: they stand at their last resolution.
    `provisional` were resolved less than 14 days ago. `once` took one contact and came back neither by
    reopening nor by the same customer and cause within 7 days; `first_level` were never escalated.
    `answered`, `recovered` and `silent` are of the re-survey,
    `confirmed` those `once` whose customer is content in it; `evaluable` can be judged: re-surveyed with an
    answer, reopened, or failed in a way that needs no survey; `failed` of them failed. A missed promise alone
    (`promise_missed`) is told apart.
    `loyal` are those of `complainers` (known customers) who gave 9-10 later (`promoters`), came back within
    90 days (`repurchased`) or joined the programme (`joined`).
    `spent` is net compensation in the tenant's currency, `compensated` the cases that got any.
    """

    resolved: int = 0
    reopened_open: int = 0
    reopened: int = 0
    provisional: int = 0
    once: int = 0
    first_level: int = 0
    once_first_level: int = 0
    answered: int = 0
    recovered: int = 0
    confirmed: int = 0
    silent: int = 0
    evaluable: int = 0
    failed: int = 0
    promise_missed: int = 0
    compensated: int = 0
    spent: float = 0.0
    currencies: int = 0
    complainers: int = 0
    loyal: int = 0
    promoters: int = 0
    repurchased: int = 0
    joined: int = 0


class ClosedCases(NamedTuple):
    """Cases by the time they were closed, by age at closing (28 and 56 days), and what was decided."""

    closed: int = 0
    within_4_weeks: int = 0
    within_8_weeks: int = 0
    after_8_weeks: int = 0
    upheld: int = 0
    judged: int = 0
    redress: float = 0.0
    currencies: int = 0


class OpenCases(NamedTuple):
    """Cases open at as_of: their ages in seconds, and how many have a deadline in the past."""

    ages: tuple[float, ...] = ()
    overdue: int = 0


class TimedCases(NamedTuple):
    """Cases by the worst of their timer cycles due in the period."""

    met: int = 0
    breached: int = 0
    pending: int = 0


class ReturningCustomers(NamedTuple):
    """Cases of known customers whose 180 days are over, answered or not, and who spoke again."""

    answered: int = 0
    answered_again: int = 0
    unanswered: int = 0
    unanswered_again: int = 0


class Group(NamedTuple):
    """Answers of customers who are alike.

    `top` in the top box, `promoters` and `detractors` by class (they are those on the scale of NPS); of
    comebacks `top` are those whose customer came back.
    """

    n: int = 0
    top: int = 0
    promoters: int = 0
    detractors: int = 0

    def plus(self, other: Group) -> Group:
        return Group(*(a + b for a, b in zip(self, other, strict=True)))


class ComparedCustomers(NamedTuple):
    """Answers of customers whose complaint was resolved before, is not, and who had none before."""

    resolved: Group = Group()
    unresolved: Group = Group()
    untroubled: Group = Group()

    def plus(self, other: ComparedCustomers) -> ComparedCustomers:
        return ComparedCustomers(*(a.plus(b) for a, b in zip(self, other, strict=True)))


class DisplayedRatings(NamedTuple):
    """The figures that sites display: how many sites and places, on how many reviews, and the only one."""

    sites: int = 0
    reviews: int = 0
    rating: float | None = None


class Replies(NamedTuple):
    """Who is to be answered, whom no human has answered, and those of them whose deadline has passed."""

    wanted: int = 0
    unanswered: int = 0
    overdue: int = 0

    @property
    def overdue_share(self) -> tuple[int, int]:
        return self.overdue, self.wanted

    @property
    def parts(self) -> dict[str, int]:
        return {"unanswered": self.unanswered, "overdue": self.overdue}


class PublishedReviews(NamedTuple):
    """Reviews that still stand, and those of them that a human answered in public by as_of."""

    published: int = 0
    answered: int = 0

    @property
    def unanswered_share(self) -> tuple[int, int]:
        return self.published - self.answered, self.published


class PromisedOrders(NamedTuple):
    """Orders by the time promised: kept and late, delays told before the customer asked, gaps in seconds."""

    promised: int = 0
    delivered: int = 0
    late: int = 0
    delayed: int = 0
    told_first: int = 0
    gaps: tuple[float, ...] = ()
