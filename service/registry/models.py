"""The models that a version's policy names, held against those that can be asked: as a request's ``model`` would be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from service.catalogue import Catalogue, Model, OnRetirement, RetiredModel, UnknownModel, UnpricedModel
from service.catalogue.catalogue import WARN_DAYS
from service.foundation import clock
from service.foundation.errors import Fault
from service.registry.lints import Lint
from service.registry.schemas import ModelPolicy


@dataclass(frozen=True, slots=True)
class Models:
    """Which models there are. ``complete`` is whether no others are: a command line knows no service's own ones."""

    catalogue: Callable[[], Catalogue]
    complete: bool = True
    on_retirement: OnRetirement = "refuse"

    def judged(self, policy: ModelPolicy) -> tuple[list[Fault], list[Lint]]:
        """What keeps a policy from being published, and what is only worth a remark.

        A model that was or will be switched off is only remarked on: what names it may have been published long ago,
        and is published again by whoever carries schemas from one service to another.
        """
        faults: list[Fault] = []
        remarks: list[Lint] = []
        today = clock.now().date()
        for pointer, name in _named(policy):
            try:
                model = self.catalogue().get(name, today=today, on_retirement=self.on_retirement)
            except RetiredModel as error:
                remarks.append(Lint(pointer, "retired_model", error.detail, _RETIRED))
            except (UnknownModel, UnpricedModel) as error:
                if self.complete:
                    faults.append(Fault(pointer, error.detail))
                else:
                    remarks.append(Lint(pointer, "unknown_model", error.detail, _UNKNOWN))
            else:
                stops = model.stops_on(name)
                if stops is not None and stops <= today + timedelta(days=WARN_DAYS):
                    remarks.append(
                        _retiring(pointer, name, stops, self.catalogue().successor(model, today=stops))
                    )
        return faults, remarks


def _named(policy: ModelPolicy) -> Iterator[tuple[str, str]]:
    for field in ("model", "escalate_to"):
        name = getattr(policy, field)
        if name:
            yield f"/policy/{field}", name


_RETIRED = "Name a model that still runs: requests that name none themselves are refused."
_UNKNOWN = "Correct it, unless the service has a model of this name in its settings."


def _retiring(pointer: str, name: str, stops: date, successor: Model | None) -> Lint:
    detail = f"The provider switches {name!r} off on {stops.isoformat()}."
    advice = "Choose another model before then." if successor is None else f"Use {successor.id} instead."
    return Lint(pointer, "retiring_model", detail, advice)
