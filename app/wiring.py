"""The composition root: adapters, deciders and projections in their order, handed to the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from app.asking.acts.projection import SurveyActs
from app.asking.permissions.projection import Permissions
from app.asking.plans.planner import MomentPlanner
from app.asking.policies import AskingPolicies
from app.cases.announcer import CaseAnnouncer
from app.cases.consequences import Consequences
from app.cases.followups import Followups
from app.cases.granting import Granting
from app.cases.presentation import ReadTimers
from app.cases.projection import Cases
from app.cases.repeats import Repeats
from app.cases.unfounded import Unfounded
from app.db.engine import Database
from app.db.tables.declared import declared_counts, declared_folds
from app.db.tables.metrics import CUBOIDS, metric_folds
from app.db.wakeup import Bell
from app.domain.egress import EgressRules, parse_networks
from app.feedback.projection import FeedbackStore, Volumes
from app.improvement.announcer import ImprovementAnnouncer
from app.improvement.decider import Lessons
from app.improvement.inheritance import Inheritance
from app.improvement.projection import Improvements
from app.ingest.google_keys import GoogleKeys
from app.ingest.inlet_sources import InletSources
from app.ingest.pulling.client import PullClient
from app.ingest.quarantine import RawInbox
from app.ingest.service import Ingest
from app.journal.config import ConfigCache
from app.journal.journal import Appended, Journal
from app.journey.annotator import JourneyReader
from app.kit.clock import Clock, utc_now
from app.kit.crypto import Sealer
from app.kit.loops import Wakeup
from app.language.reader import TextReader
from app.metrics.bodies import Bodies
from app.privacy.announcer import ErasureAnnouncer
from app.privacy.intake import ErasureIntake
from app.settings import Settings
from app.sla.payload import live_timers
from app.sla.silence import SilentSources
from app.sla.timers import SlaTimers
from app.webhooks.egress import EgressGuard

WAKEUPS = ("fanout", "deliver", "replay", "sla", "recompute", "fold", "asking", "erasure")


text_reader = lru_cache(maxsize=1)(TextReader)
"""One for the process: its lexicons are read once."""


@dataclass(slots=True)
class Services:
    """Everything that one process is made of; routers, loops and commands take what they need from it."""

    settings: Settings
    database: Database
    clock: Clock
    sealer: Sealer
    bell: Bell
    journal: Journal
    ingest: Ingest
    egress: EgressGuard
    google_keys: GoogleKeys
    inlets: InletSources
    raw_inbox: RawInbox
    timers: SlaTimers
    asking_policies: AskingPolicies
    bodies: Bodies = field(default_factory=Bodies)
    read_timers: ReadTimers = live_timers

    async def close(self) -> None:
        """Finish what was accepted, then let go of the database."""
        await self.ingest.batcher.close()
        self.egress.close()
        await self.database.close()


def build_services(
    settings: Settings, *, clock: Clock = utc_now, offset: Callable[[], timedelta] = timedelta
) -> Services:
    """Wire one process. Opens no connection yet. (`clock` and `offset` are moved by tests only.)"""
    database = Database(settings.database_url, pool_size=settings.pool_size)
    sealer = Sealer([key.get_secret_value() for key in settings.master_keys])
    bell = Bell(settings.database_url, {name: Wakeup() for name in WAKEUPS})
    timers = SlaTimers(settle_seconds=settings.settle_seconds)
    asking_policies = AskingPolicies()
    acts = SurveyActs(asking_policies)
    journal = Journal(
        database,
        ConfigCache(sealer),
        clock,
        offset=offset,
        annotators=(JourneyReader(), text_reader()),
        deciders=(
            Consequences(),  # before what falls with what it takes back
            Unfounded(),
            Followups(),
            Repeats(),
            Granting(),
            Inheritance(),
            Lessons(),
        ),
        projections=(
            acts,  # first: they say which silences the feedback store counts
            FeedbackStore(),
            Volumes(),
            Cases(),
            Improvements(),
            timers,
            Permissions(),
        ),
        announcers=(
            CaseAnnouncer(),
            ImprovementAnnouncer(),
            timers,
            SilentSources(),
            acts,
            MomentPlanner(asking_policies),
            ErasureIntake(sealer),
            ErasureAnnouncer(),
        ),
        # the fold row first: without it no fold can add to cuboids that are being emptied
        caches=(
            metric_folds,
            *(cuboid.table for cuboid in CUBOIDS),
            declared_folds,
            declared_counts,
        ),
    )

    def committed(appended: Appended) -> None:
        """Wake the loops that this commit has work for; a plain rating has none."""
        if appended.announced:
            bell.ring("fanout")
        if any(event.subject_id is not None for event in appended.events):
            bell.ring("sla", "asking")

    ingest = Ingest(journal, committed=committed)
    egress = EgressGuard(EgressRules(allow=parse_networks(settings.egress_allow)))
    return Services(
        settings=settings,
        database=database,
        clock=clock,
        sealer=sealer,
        bell=bell,
        journal=journal,
        ingest=ingest,
        egress=egress,
        google_keys=GoogleKeys(PullClient(egress.vetted_url), clock),
        inlets=InletSources(database, sealer),
        raw_inbox=RawInbox(database),
        timers=timers,
        asking_policies=asking_policies,
    )
