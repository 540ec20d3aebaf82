"""The preset tree of causes: the three quality groups of the method, and what lies outside them (S2.56)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cause:
    """A node of the tree: its key names its branch (`staff.rudeness` lies in `staff`)."""

    key: str
    uk: str
    ru: str
    en: str

    @property
    def parent(self) -> str | None:
        """The branch it lies in; None for a root."""
        return self.key.rpartition(".")[0] or None


_TREE: Final = """
staff | Персонал | Персонал | Front staff
staff.rudeness | Грубість | Грубость | Rudeness
staff.competence | Некомпетентність | Некомпетентность | Lack of competence
staff.appearance | Зовнішній вигляд | Внешний вид | Appearance
staff.manner | Манера спілкування | Манера общения | Manner
office_process | Офіс і процеси | Офис и процессы | Office and processes
office_process.queue | Черга | Очередь | Queue
office_process.cleanliness | Чистота | Чистота | Cleanliness
office_process.billing_error | Помилка в рахунку | Ошибка в счёте | Billing error
office_process.invoice | Документи | Документы | Invoice
office_process.site_usability | Зручність сайту | Удобство сайта | Site usability
office_process.delivery_delay | Затримка доставки | Задержка доставки | Delivery delay
office_process.no_status_info | Немає інформації про стан | Нет информации о статусе | No status information
office_process.expectation_mismatch | Не виправдали очікувань | Не оправдали ожиданий | Expectation mismatch
office_process.complaint_mechanism | Робота зі скаргами | Работа с жалобами | Complaint mechanism
product_price | Товар і ціна | Товар и цена | Product and price
external | Зовнішні обставини | Внешние обстоятельства | External
external.force_majeure | Форс-мажор | Форс-мажор | Force majeure
external.carrier | Перевізник | Перевозчик | Carrier
customer_error | Помилка клієнта | Ошибка клиента | Customer's own error
"""

PRESET_CAUSES: Final = tuple(Cause(*line.split(" | ")) for line in _TREE.strip().splitlines())

STAFF: Final = ("staff",)
"""The branch whose causes call for a talk with an employee."""
COMPLAINT_MECHANISM: Final = "office_process.complaint_mechanism"
"""A complaint about how a complaint was handled."""
