"""What the API answers, for its OpenAPI description: a file a subject. Alerts are in api/alertmodels.py."""

from api.models.common import Groups, Page, Quantiles
from api.models.events import Accepted, DeadLetter, Event, EventPattern, Histogram
from api.models.findings import Finding, FindingCount
from api.models.items import DeadlineState, Excerpt, FoundItem, Hop, Item, Pending, Run
from api.models.maps import GroupValue, Heat, HeatCell, Map, MapEdge, MapStep, StepDetail, WaitingItem
from api.models.service import PackTaken, Readiness, RuleAccepted
from api.models.workflows import Lane, LaneState, Next, Open, Overview, Step, Steps, Tile, Workflow

__all__ = [
    "Accepted",
    "DeadLetter",
    "DeadlineState",
    "Event",
    "EventPattern",
    "Excerpt",
    "Finding",
    "FindingCount",
    "FoundItem",
    "GroupValue",
    "Groups",
    "Heat",
    "HeatCell",
    "Histogram",
    "Hop",
    "Item",
    "Lane",
    "LaneState",
    "Map",
    "MapEdge",
    "MapStep",
    "Next",
    "Open",
    "Overview",
    "PackTaken",
    "Page",
    "Pending",
    "Quantiles",
    "Readiness",
    "RuleAccepted",
    "Run",
    "Step",
    "StepDetail",
    "Steps",
    "Tile",
    "WaitingItem",
    "Workflow",
]
