"""What a complaint may be about, by its words: a hint for who sorts causes, never a cause by itself."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_STEMS: Final = {
    "staff.rudeness": (
        "хамств, хамськ, нагруб, нахаб, неввічлив, кричал, хамск, наглост, невежлив, орала, орал, груби, "
        "rude, impolite, yelled, shouted, disrespect"
    ),
    "staff.competence": (
        "некомпетент, непрофес, не знає, не розбира, не знает, не разбира, "
        "incompetent, unprofessional, clueless"
    ),
    "office_process.queue": "черг, очеред, queue, long line, waited in line, stood in line",
    "office_process.cleanliness": "бруд, смерд, грязн, грязь, воня, dirty, filthy, smelly, unclean",
    "office_process.billing_error": (
        "двічі списа, списали, зайве списа, дважды спис, переплат, charged twice, overcharg, double charge, "
        "wrong amount"
    ),
    "office_process.invoice": "рахунок-факт, накладн, счет-факт, invoice",
    "office_process.site_usability": (
        "сайт не прац, сайт завис, застосунок вил, сайт не работ, приложение вылет, site is down, app crash, "
        "website does not, website doesn"
    ),
    "office_process.delivery_delay": (
        "не достав, затрим, запізн, досі не отрима, задерж, опозда, до сих пор не получ, late delivery, "
        "delayed, never arrived, still waiting, not delivered"
    ),
    "office_process.no_status_info": (
        "не повідом, не передзвон, не відповіда, не сообщ, не перезвон, не отвеча, no answer, nobody called, "
        "no one called, no update, never called back"
    ),
    "product_price.quality": (
        "зламан, зламал, бракован, дефект, не працює, сломан, слома, не работает, broken, defect, "
        "stopped working, does not work, doesn't work"
    ),
    "product_price.price": "дорого, завищен, завышен, overpriced, too expensive",
}


def hint_cause(text: str) -> str | None:
    """The first cause whose words stand in the text (Ukrainian, Russian, English); None: no hint."""
    lowered = text[:5_000].lower().replace("\u2019", "'").replace("ё", "е")
    return next((cause for cause, stems, pattern in _patterns() if _stands(lowered, stems, pattern)), None)


def _stands(text: str, stems: tuple[str, ...], pattern: re.Pattern[str]) -> bool:
    # most texts hold none of the stems, and looking for them all costs less than the expression
    for stem in stems:
        if stem in text:
            return pattern.search(text) is not None
    return False


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...]:
    listed = {cause: tuple(stems.split(", ")) for cause, stems in _STEMS.items()}
    return tuple(
        (cause, stems, re.compile(rf"\b(?:{'|'.join(map(re.escape, stems))})"))
        for cause, stems in listed.items()
    )
