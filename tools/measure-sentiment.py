"""Prints accuracy and coverage of the text reader on labelled data (see the README beside the data).

python tools/measure-sentiment.py FOLDER    FOLDER holds sentiment/*.csv, *.tsv, *.txt
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.language.reader import TextReader

Sample = tuple[str, str]
_GOLD = {"0": "negative", "1": "positive", "2": "neutral"}


def english(folder: Path) -> list[Sample]:
    """Sentences of shop and restaurant reviews, positive or negative."""
    samples = []
    for name in ("amazon_cells", "yelp"):
        for line in (folder / f"en_uci_{name}_labelled.txt").read_text("utf-8").split("\n"):
            text, _, gold = line.rstrip("\r").rpartition("\t")
            if gold in ("0", "1"):
                samples.append((text, _GOLD[gold]))
    return samples


def ukrainian(folder: Path, *names: str) -> list[Sample]:
    """Sentences of one author."""
    return [
        (row["text"], _GOLD[row["labels"]])
        for name in names
        for row in csv.DictReader((folder / f"uk_gurbich_{name}.csv").open(encoding="utf-8-sig"))
    ]


def russian(folder: Path) -> list[Sample]:
    """Film subtitles with projected emotions: joy and trust against anger, disgust, fear and sadness."""
    samples = []
    for line in (folder / "ru_xed_projections.tsv").read_text("utf-8").split("\n"):
        text, _, codes = line.rpartition("\t")
        found = {int(code) for code in codes.replace(" ", "").split(",") if code}
        good, bad = bool(found & {5, 8}), bool(found & {1, 3, 4, 6})
        if good != bad:
            samples.append((text, "positive" if good else "negative"))
    return samples


def report(name: str, reader: TextReader, language: str, samples: Sequence[Sample]) -> None:
    """One line: coverage and accuracy over the positive and negative ones, accuracy over all classes."""
    begun = time.perf_counter()
    said = [(gold, reader.sentiment(text, language).label) for text, gold in samples]
    rate = len(samples) / (time.perf_counter() - begun)
    sided = [(gold, label) for gold, label in said if gold != "neutral"]
    spoke = [(gold, label) for gold, label in sided if label != "unknown"]
    right = sum(gold == label for gold, label in spoke)
    every = sum(gold == label or (gold, label) == ("neutral", "unknown") for gold, label in said)
    print(  # noqa: T201
        f"{name:28s} n={len(samples):5d}  coverage {len(spoke) / len(sided):.2f}  "
        f"right when it speaks {right / len(spoke):.3f}  right of all {right / len(sided):.3f}  "
        f"all classes {every / len(said):.3f}  {rate:,.0f}/s"
    )


if __name__ == "__main__":
    data = Path(sys.argv[1]) / "sentiment"
    reader = TextReader()
    report("EN UCI amazon + yelp", reader, "en", english(data))
    manual = ukrainian(data, "dataset_sent_anal_ukr_manual")
    classes = ukrainian(data, "sent_anal_ukr_multi-train", "sent_anal_ukr_multi-test")
    subtitles = russian(data)
    report("UK Gurbich manual", reader, "uk", manual)
    report("UK Gurbich three classes", reader, "uk", classes)
    report("RU XED subtitles", reader, "ru", subtitles)
    # Words were added from the other half and from the synthetic texts: these sentences nobody looked at.
    report("UK Gurbich, the half unseen", reader, "uk", list(dict.fromkeys(classes + manual))[1::2])
    report("RU XED, the half unseen", reader, "ru", subtitles[1::2])
