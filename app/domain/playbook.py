"""Playbooks as data: the steps that each kind of case calls for, when it may close, and how to reply."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import product
from typing import Any, Final, Protocol, TypeVar

from app.domain.complaint import CaseKind, Severity
from app.domain.errors import InvalidError
from app.domain.sla.document import Node, nearest


class Step(StrEnum):
    """The stages of handling (domain.md 6.1): a set, not a line; the order here is only the usual one."""

    RECEIVED = auto()
    THANKED = auto()
    ASSESSED = auto()
    REPLIED = auto()
    APOLOGISED = auto()
    PROMISED = auto()
    DECLINED = auto()
    REMEDIED = auto()
    DECISION_COMMUNICATED = auto()
    RESURVEYED = auto()
    CLOSED = auto()


LANGUAGES: Final = ("uk", "ru", "en")

# An internal case (its author cannot be reached) has nobody to take these steps with.
_CUSTOMER_STEPS = frozenset(Step) - {Step.RECEIVED, Step.ASSESSED, Step.DECLINED, Step.REMEDIED, Step.CLOSED}

_Word = TypeVar("_Word", bound=StrEnum)


class Handled(Protocol):
    """What a playbook needs to know of a case."""

    @property
    def kind(self) -> CaseKind: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def customer_facing(self) -> bool: ...
    @property
    def steps(self) -> Collection[Step]: ...


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One thing to do, with its label in each of `LANGUAGES`."""

    key: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checklist:
    """An ordered, never empty list of things to do: in a reply, a debrief, a recovery."""

    key: str
    steps: tuple[ChecklistStep, ...]


@dataclass(frozen=True, slots=True)
class Playbook:
    """How one kind of case is handled, and what must be done before it may close.

    Closing takes all of `close_all_of` and every step of at least one group of `close_one_of`.
    """

    kind: CaseKind
    severities: tuple[Severity, ...]
    steps: tuple[Step, ...]
    close_all_of: tuple[Step, ...]
    close_one_of: tuple[tuple[Step, ...], ...]
    reply_checklist: str


@dataclass(frozen=True, slots=True)
class Playbooks:
    """A whole configuration: exactly one playbook for each kind and severity, and the checklists."""

    entries: Mapping[tuple[CaseKind, Severity], Playbook]
    checklists: Mapping[str, Checklist]

    def required_steps(self, kind: CaseKind, severity: Severity) -> tuple[Step, ...]:
        """The steps that a case of this kind and severity calls for, in their usual order."""
        return self.entries[kind, severity].steps

    def reply_checklist(self, kind: CaseKind, severity: Severity) -> Checklist:
        """What a reply to such a case should contain."""
        return self.checklists[self.entries[kind, severity].reply_checklist]

    def missing_to_close(self, case: Handled) -> tuple[str, ...]:
        """What stands between the case and its closing, in words; () when it may close (domain.md 6.1).

        A choice is one item: "promised and remedied, or declined". Steps that need the customer are not
        asked of a case that has none to face.
        """
        playbook = self.entries[case.kind, case.severity]
        settled = set(case.steps) if case.customer_facing else _CUSTOMER_STEPS | set(case.steps)
        missing = [step.value for step in playbook.close_all_of if step not in settled]
        choices = [[step for step in group if step not in settled] for group in playbook.close_one_of]
        if choices and all(choices):
            missing.append(", or ".join(" and ".join(steps) for steps in choices))
        return tuple(missing)


def completeness(done: Iterable[str], checklist: Checklist) -> float:
    """Share of the checklist that is done, 0..1 (domain.md 6.5); below 1 is a warning, never a block.

    Raises `InvalidError` (`unknown_checklist_step`) for a key that the checklist does not have.
    """
    known, ticked = {step.key for step in checklist.steps}, set(done)
    for key in sorted(ticked - known):
        detail = f"The checklist {checklist.key} has no step {key!r}."
        raise InvalidError("unknown_checklist_step", detail, cure=nearest(key, known))
    return len(ticked) / len(known)


def parse_playbooks(document: object) -> Playbooks:
    """Read a configuration document; `default_document()` is one, complete and valid.

    Raises `InvalidError` with a pointer: `unknown_key`, `missing_key`, `unknown_choice` (a step, kind or
    severity), `repeated_key`, `unknown_checklist`, `close_needs_itself`, `close_needs_unlisted_step`,
    `playbook_ambiguous`, and `playbook_missing` for a kind and severity that nobody says how to handle.
    """
    fields = _exactly(Node(document), "checklists", "playbooks")
    checklists = {key: _checklist(key, node) for key, node in fields["checklists"].members().items()}
    entries: dict[tuple[CaseKind, Severity], Playbook] = {}
    for node in fields["playbooks"].elements():
        playbook = _playbook(node, checklists)
        for severity in playbook.severities:
            if (playbook.kind, severity) in entries:
                detail = f"Two playbooks say how to handle {playbook.kind} {severity}."
                raise node.refusal("playbook_ambiguous", detail, "Name the severity in one of them.")
            entries[playbook.kind, severity] = playbook
    lacking = [pair for pair in product(CaseKind, Severity) if pair not in entries]
    if lacking:
        names = ", ".join(f"{kind} {severity}" for kind, severity in lacking)
        detail = f"No playbook says how to handle: {names}."
        raise fields["playbooks"].refusal(
            "playbook_missing", detail, "One playbook may name several severities."
        )
    return Playbooks(entries, checklists)


def _playbook(node: Node, checklists: Collection[str]) -> Playbook:
    fields = _exactly(node, "kind", "severities", "steps", "close", "reply_checklist")
    close = fields["close"].fields(("all_of", "one_of"), required=("all_of",))
    steps = _distinct(Step, fields["steps"])
    all_of = _distinct(Step, close["all_of"])
    one_of = tuple(_distinct(Step, group) for group in _elements(close, "one_of"))
    if any(Step.CLOSED in group for group in (all_of, *one_of)):
        raise fields["close"].refusal("close_needs_itself", "A case cannot wait for its own closing.")
    if not set(all_of) <= set(steps) or (one_of and not any(set(group) <= set(steps) for group in one_of)):
        detail = "A case that has taken every step of the playbook could still not be closed."
        raise fields["close"].refusal(
            "close_needs_unlisted_step", detail, "List in `steps` what closing needs."
        )
    name = fields["reply_checklist"].text()
    if name not in checklists:
        raise fields["reply_checklist"].refusal(
            "unknown_checklist", f"There is no checklist {name!r}.", nearest(name, checklists)
        )
    severities = _distinct(Severity, fields["severities"])
    return Playbook(fields["kind"].choice(CaseKind), severities, steps, all_of, one_of, name)


def _checklist(key: str, node: Node) -> Checklist:
    steps: dict[str, ChecklistStep] = {}
    for element in node.elements():
        fields = _exactly(element, "key", "labels")
        labels = _exactly(fields["labels"], *LANGUAGES)
        step = ChecklistStep(fields["key"].slug(), {code: labels[code].text() for code in LANGUAGES})
        if step.key in steps:
            raise fields["key"].refusal("repeated_key", f"The step {step.key!r} stands twice.", "Keep one.")
        steps[step.key] = step
    if not steps:
        raise node.refusal("empty_list", "A checklist has at least one step.")
    return Checklist(key, tuple(steps.values()))


def _exactly(node: Node, *keys: str) -> dict[str, Node]:
    return node.fields(keys, required=keys)


def _elements(fields: Mapping[str, Node], key: str) -> list[Node]:
    return fields[key].elements() if key in fields else []


def _distinct(words: type[_Word], node: Node) -> tuple[_Word, ...]:
    """At least one word of a closed list, none twice."""
    found: list[_Word] = []
    for element in node.elements():
        word = element.choice(words)
        if word in found:
            raise element.refusal("repeated_key", f"{word.value!r} stands twice.", "Keep one.")
        found.append(word)
    if not found:
        raise node.refusal("empty_list", "At least one is expected here.")
    return tuple(found)


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
