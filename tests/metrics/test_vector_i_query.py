"""The silent indices, channels and latent dissatisfaction through the query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.metrics.conftest import Ask
from tests.metrics.world import NOON, Answer, World, several

HOUR = timedelta(hours=1)


OPENED = NOON - timedelta(days=5)


async def test_vector_i_through_the_query(world: World, ask: Ask) -> None:
    for measure in ("staff", "office", "recommend"):
        act = Answer(1, scale="button_3", measure=measure, mode="staff_prompted", location="kyiv")
        counts = {1: (122, 2), -1: (16, 6), 0: (8, 0), None: (40, 2)}
        rows = []
        for value, (plain, excused) in counts.items():
            one = Answer(**{**vars_of(act), "value": value, "silent": value is None})
            rows += several(plain, one)
            rows += several(excused, Answer(**{**vars_of(one), "force_majeure": "confirmed"}))
        rows += several(4, Answer(**{**vars_of(act), "qualification": "invalid"}))
        await world.commit(*rows)
    await world.count("visitors", 500, location="kyiv")
    await world.count("transactions", 90, location="kyiv")
    staff = [{"dimension": "question", "values": ["staff"]}]
    [row] = (await ask("ink_personal", group_by=["location"])).rows
    digits = [row[f"ink_personal{part}"] for part in ("", "_ci_low", "_ci_high", "_n", "_k")]
    assert digits == [19.35, 14.76, 23.95, 186, 0.5]
    assert (row["ink_personal_at_k0"], row["ink_personal_at_k1"]) == (8.6, 30.11)
    assert (row["location"], row["collection_mode"]) == ("kyiv", "staff_prompted")
    # none of the four answers that the expert checked was credible
    assert row["ink_personal_status"] == "unreliable"
    assert row["ink_personal_reasons"][0] == "no_coverage_threshold"
    assert "reliability_positive_below_90" in row["ink_personal_reasons"]
    audited = (await ask("ink_office", "iel", "iel_2013", report_type="audit")).rows
    assert [row["fm_level"] for row in audited] == [5.1]  # nobody asked for it
    [row] = (await ask("ink_office", "iel", "iel_2013")).rows
    assert "fm_level" not in row
    assert (row["ink_office"], row["iel"], row["iel_2013"]) == (19.35, 41.33, 66.23)
    beside = ("fm_level", "negative_per_contact")
    [row] = (await ask(*beside)).rows
    assert [row[name] for name in beside] == [5.1, 11.22]
    beside = ("negative_per_visitor", "negative_per_transaction")
    [row] = (await ask(*beside, group_by=["location"])).rows
    assert [row[name] for name in beside] == [4.4, 24.44]
    conversions = ("coverage", "precise_conversion", "surveys_per_transaction", "raw_conversion")
    [row] = (await ask(*conversions)).rows
    assert row["coverage_survey_acts"] == 3 * 196  # one act asks one key question; here three were asked
    [row] = (await ask("survey_acts", "silent")).rows
    assert (row["survey_acts"], row["silent"]) == (588, 126)
    [row] = (await ask("iel", filters=staff)).rows
    assert row["iel"] is None


def vars_of(answer: Answer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in Answer.__dataclass_fields__ if name != "answer_id"}


async def test_channels_weigh_the_same_and_silence_is_no_channel(world: World, ask: Ask) -> None:
    await world.commit(
        *several(90, Answer(10, channel="kiosk")),
        *several(10, Answer(0, channel="kiosk")),
        *several(5, Answer(10, channel="chat")),
        *several(5, Answer(0, channel="chat")),
        *several(2, Answer(0, channel="app")),
    )
    [row] = (await ask("happiness_equal_channels")).rows
    assert (row["happiness_equal_channels"], row["happiness_equal_channels_channels"]) == (70.0, 2)
    assert row["happiness_equal_channels_reasons"] == ["channels_left_out"]
    [row] = (await ask("happiness", "happiness_net")).rows
    assert (row["happiness"], row["happiness_net"]) == (84.82, 69.64)


async def test_latent_dissatisfaction_counts_only_what_nobody_asked_for(world: World, ask: Ask) -> None:
    await world.commit(
        *several(12, Answer(1, mode="passive")),
        *several(9, Answer(1, mode="invited")),
        *several(3, Answer(9, mode="scraped")),
    )
    [row] = (await ask("latent_negatives")).rows
    shown = [row[f"latent_negatives{part}"] for part in ("", "_ci_low", "_ci_high", "_observed")]
    assert shown == [240, 24, 240, 12]
