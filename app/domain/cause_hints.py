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
    return next((cause for cause, pattern in _patterns() if pattern.search(lowered)), None)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (cause, re.compile(rf"\b(?:{'|'.join(map(re.escape, listed.split(', ')))})"))
        for cause, listed in _STEMS.items()
    )
