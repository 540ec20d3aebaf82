"""The preset playbooks: the checklists of the method with their labels, and when each kind may close."""

from __future__ import annotations

from typing import Any, Final

from app.domain.complaint import Severity
from app.domain.playbook import LANGUAGES
from app.domain.playbook_document import parse_playbooks

# A checklist, then its steps: key | uk | ru | en (domain.md S1.15-S1.18, S1.20-S1.21, S2.1)
_LABELS: Final = """
question
  thank | Подякувати за запитання | Поблагодарить за вопрос | Thank for the question
  answer | Відповісти по суті | Ответить по существу | Answer it
  call_to_action | Закликати до дії | Призвать к действию | Call to action
complaint
  thank | Подякувати за сигнал | Поблагодарить за сигнал | Thank for pointing it out
  untypical | Показати, що випадок нетиповий | Показать, что случай нетипичный | Show that it is untypical
  explain | Пояснити, чому так сталося | Объяснить, почему так вышло | Explain why it happened
  apologise | Вибачитися | Извиниться | Apologise
  solving | Сказати, як вирішуємо | Сказать, как решаем | Say how it is being solved
  afterwards | Сказати, як буде надалі | Сказать, как будет дальше | Say how it will be afterwards
  gift | Зробити комплімент (подарунок) | Сделать комплимент (подарок) | Give a compliment (a gift)
praise
  thank | Подякувати | Поблагодарить | Thank
  kind_words | Додати теплі слова чи побажання | Добавить тёплые слова, пожелание | Add kind words or a wish
  gift | Зробити подарунок | Сделать подарок | Give a gift
loyalty_conversion
  reply | Відповісти як на скаргу | Ответить как на жалобу | Reply as to a complaint
  fix | Виправити якнайзручніше | Исправить удобнее всего | Fix it to the greatest convenience
  report | Подзвонити й запросити | Позвонить и пригласить | Call, report, invite to check
  personal_manager | Особистий менеджер | Личный менеджер | Give a personal manager
  best_programme | Найкраща програма лояльності | Лучшая программа лояльности | Best loyalty programme
  closed_event | Запросити з близькою людиною | Пригласить с близким | Invite with one close person
  remember | Пам'ятати особисте | Помнить личное | Remember personal facts
  keep_contact | Підтримувати зв'язок | Поддерживать связь | Keep regular contact
debrief_negative
  show | Показати відгук | Показать отзыв | Show the feedback
  support | Підтримати, похвалити результати | Поддержать, похвалить результаты | Support, praise results
  point_out | Вказати на проблему | Указать на проблему | Point out the issue
  ask_why | Запитати, чому так сталося | Спросить, почему так вышло | Ask why it happened
  discuss | Обговорити правильні дії | Обсудить правильные действия | Discuss the right behaviour
  make_sure | Переконатися, що засвоєно | Убедиться, что усвоено | Make sure that it stuck
  check | Перевірити згодом | Проверить позже | Check later
debrief_positive
  show | Показати відгук | Показать отзыв | Show the feedback
  praise | Похвалити | Похвалить | Praise
  gift | Зробити подарунок | Сделать подарок | Give a gift
recovery
  react | Вирішити проблему | Решить проблему | React: solve the problem
  respond | Вибачитися | Извиниться | Respond: apologise
  plus_one | Додати приємність | Добавить приятное | Plus one: add a sweetener
"""
_EVERY: Final = tuple(severity.value for severity in Severity)
_AMENDS: Final = ("apologised", "promised", "remedied", "decision_communicated", "resurveyed", "closed")
_SETTLED: Final = {
    "all_of": ("thanked", "apologised", "decision_communicated"),
    "one_of": (("promised", "remedied"), ("declined",)),
}
_ANSWERED: Final = {"all_of": ("thanked", "replied")}
_THANKED: Final = {"all_of": ("thanked",)}
# kind, severities, steps, what closing needs, checklist of the reply
_PLAYBOOKS: Final = (
    (
        "complaint",
        _EVERY[:2],
        ("received", "thanked", "assessed", "replied", *_AMENDS),
        _SETTLED,
        "complaint",
    ),
    ("complaint", _EVERY[2:], ("received", "thanked", "replied", *_AMENDS), _SETTLED, "complaint"),
    ("question", _EVERY, ("received", "thanked", "replied", "closed"), _ANSWERED, "question"),
    ("suggestion", _EVERY, ("received", "thanked", "closed"), _THANKED, "question"),
    ("praise", _EVERY, ("received", "thanked", "closed"), _THANKED, "praise"),
)


def default_document() -> dict[str, Any]:
    """The preset configuration, in the form that `parse_playbooks` reads."""
    steps: list[dict[str, Any]] = []
    checklists = {}
    for line in _LABELS.strip().splitlines():
        key, *labels = line.strip().split(" | ")
        if labels:
            steps.append({"key": key, "labels": dict(zip(LANGUAGES, labels, strict=True))})
        else:
            checklists[key] = steps = []
    keys = ("kind", "severities", "steps", "close", "reply_checklist")
    return {"checklists": checklists, "playbooks": [dict(zip(keys, row, strict=True)) for row in _PLAYBOOKS]}


DEFAULT_PLAYBOOKS: Final = parse_playbooks(default_document())
