"""Predictions and what people say of them, for rules/ml_serving."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, early, late, never, repeated, reported_late, slow, spoil
from jobs.traffic.item import DAY, HOUR, MINUTE, SECOND, Item, Limit
from jobs.traffic.office import Office
from jobs.traffic.stream import Beginning, Business

SERVE = Limit("serve", "request", "serve", 800, tiers=(5 * SECOND,))
SLOW_MODEL = "document-reader"
SLOW_SERVE = Limit("serve", "request", "serve", 3 * SECOND, tiers=(5 * SECOND,))
AWAKE = Office("Europe/Amsterdam", 7, 23, weekend=())
FEEDBACK = Limit("feedback", "serve", "feedback", 4 * HOUR, warn=3 * HOUR, floor=3 * SECOND, office=AWAKE)
BEAT = 10 * MINUTE
EVALUATE = Limit("evaluate", "feedback", "right", 10 * MINUTE)
TYPES = {
    "request": "prediction.requested",
    "serve": "prediction.served",
    "fall_back": "prediction.fell_back",
    "feedback": "feedback.received",
    "right": "prediction.evaluated",
    "wrong": "prediction.evaluated",
}
PLACES = (
    Place("retail", 6.0, 16.0, 2.0, 0.4),
    Place("business", 7.0, 11.0, 1.5, 0.1),
    Place("partners", 0.0, 24.0, 0.5),
)
MODELS = ("card-fraud-7", "credit-limit-3", "churn-12", SLOW_MODEL)
VERDICTS = {step: {"verdict": step} for step in ("right", "wrong")}


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """A prediction; a few in a hundred have a fault."""
    model = rng.choice(MODELS)
    times = {"request": begin.at}
    after(times, "serve", rng, *((0.3, 2.5) if model == SLOW_MODEL else (0.03, 0.6)))
    after(times, "feedback", rng, 8, 10_000)
    after(times, "right", rng, 5, 400)
    data = {"model": model, "segment": begin.place.name, "exposure": round(rng.lognormvariate(5, 1.5), 2)}
    details: dict[str, dict[str, Any]] = {
        "request": {"subject_ref": f"subject-{rng.randint(1, 90_000)}"},
        "serve": {"score": round(rng.random(), 4)},
        **VERDICTS,
    }
    prediction = Item(begin.at, "prediction_id", f"Y-{begin.name}", "/models", TYPES, data, times, details)
    yield spoil(prediction, rng, faults(SLOW_SERVE if model == SLOW_MODEL else SERVE))


def wrong(prediction: Item, rng: random.Random) -> None:
    """No finding of ours: the model was wrong, and we know it in time."""
    prediction.times["wrong"] = prediction.times.pop("right")


def fell_back(prediction: Item, rng: random.Random) -> None:
    """No finding of ours: the model did not answer, and its stand-in did so in time."""
    prediction.cut("serve")
    prediction.times["fall_back"] = prediction.times["request"] + rng.randint(600, 790)


def judged_before(prediction: Item, rng: random.Random) -> None:
    """Found right before anybody has said anything."""
    times = prediction.times
    times["feedback"], times["right"] = times["right"], times["feedback"]
    prediction.expect(times["right"], "unexpected", "unexpected")


def answered_twice(prediction: Item, rng: random.Random) -> None:
    """The stand-in has answered, and then the model does so too."""
    fell_back(prediction, rng)
    prediction.times["serve"] = prediction.times["fall_back"] + rng.randint(100, 900)
    prediction.expect(prediction.times["serve"], "unexpected", "unexpected")
    prediction.breaks(FEEDBACK)


def requested_afterwards(prediction: Item, rng: random.Random) -> None:
    """The question is logged behind its answer."""
    prediction.times["request"] = prediction.times["serve"] + rng.randint(1, 100)
    prediction.expect(prediction.times["request"], "out_of_order", "order")


def beats(rng: random.Random, run: str, at: int, unsent: bool) -> Iterator[Item]:
    """The signs of life of the models in the ten minutes from this instant (epoch ms) on; some are left out."""
    if at % BEAT:
        return
    for model in MODELS:
        beat = Item(at, "model_id", model, "/models", {"answer": "model.alive"}, {}, {})
        if unsent or rng.random() < 0.015:
            beat.expect(at + BEAT + MINUTE, "missing", "alive")
        else:
            beat.times["answer"] = at + rng.randint(120, 540) * SECOND
            beat.ids["answer"] = f"{model}-{at // BEAT}"
        yield beat


def faults(serve: Limit) -> Shares:
    """What goes wrong with the predictions of a model."""
    return (
        (wrong, 0.08),
        (fell_back, 0.01),
        (never(serve), 0.002),
        (late(serve, 10, 1900), 0.006),
        (late(serve, 5 * SECOND, 30 * SECOND), 0.002),
        (early(FEEDBACK), 0.004),
        (never(FEEDBACK), 0.02),
        (late(FEEDBACK, MINUTE, 6 * HOUR), 0.008),
        (slow(FEEDBACK), 0.008),
        (never(EVALUATE), 0.003),
        (late(EVALUATE, 10 * SECOND, HOUR), 0.004),
        (reported_late(EVALUATE, 30 * SECOND, 5 * MINUTE), 0.003),
        (repeated("serve", "feedback"), 0.005),
        (judged_before, 0.003),
        (answered_twice, 0.003),
        (requested_afterwards, 0.003),
    )


BUSINESS = Business(PLACES, tell, ("prediction.requested", "prediction_id"), longest=DAY, regular=beats, lead=BEAT)
