"""What one extraction may spend, counted over every call it makes: first readings, retries, repairs, escalations.

Money is set aside before an attempt and settled after it, so that calls which run at the same time cannot spend the
same cent. What was spent and what is set aside never exceed the cap together.
"""

import asyncio
from collections.abc import Callable, Sequence

from service.catalogue import Model
from service.foundation.errors import Fault, MoneyCapped
from service.foundation.money import NanoUSD, usd
from service.upstream import Attempt, Call, at_most, counted, may_be_billed


class Account:
    """The money of one extraction. ``cap`` None: no bound. ``heard`` gets every attempt as it ends."""

    def __init__(self, cap: NanoUSD | None, heard: Callable[[Attempt], None]) -> None:
        self.cap = cap
        self._heard = heard
        self._spent = 0
        self._held = 0

    def hold(self, call: Call, model: Model) -> "Hold":
        """A claim for the attempts of one call; nothing is set aside yet."""
        return Hold(self, call, model)

    async def begin(self, calls: Sequence[tuple[Call, Model]]) -> list["Hold"]:
        """Set the worst case of one attempt at each call aside, before any is made.

        Raises ``MoneyCapped`` with the sum of the worst cases when they do not all fit.
        """
        holds = [self.hold(call, model) for call, model in calls]
        if self.cap is None or self._take_all(holds, [hold.bound() for hold in holds]):
            return holds
        counts = [await hold.worst() for hold in holds]
        if not self._take_all(holds, counts):
            worst = NanoUSD(sum(counts))
            raise MoneyCapped(
                f"The worst case of this request is {usd(worst)} USD, the cap is {usd(self.cap)} USD; nothing was sent.",
                errors=[Fault("/options/max_cost_usd", f"At least {usd(worst)} is needed.")],
                members={"worst_case_usd": usd(worst)},
            )
        return holds

    async def more(self, call: Call, model: Model) -> "Hold":
        """A further call, with the worst case of its first attempt set aside. Raises ``MoneyCapped``."""
        hold = self.hold(call, model)
        if not await hold.reserve():
            worst = await hold.worst()
            raise MoneyCapped(
                f"A further call would cost up to {usd(worst)} USD; with what was spent that passes the cap of "
                f"{usd(self.cap or NanoUSD(0))} USD.",
                errors=[Fault("/options/max_cost_usd", f"At least {usd(worst)} more is needed.")],
            )
        return hold

    def _take_all(self, holds: Sequence["Hold"], amounts: Sequence[NanoUSD]) -> bool:
        if not self.take(NanoUSD(sum(amounts))):
            return False
        for hold, amount in zip(holds, amounts, strict=True):
            hold.amount = amount
        return True

    def take(self, amount: NanoUSD) -> bool:
        """Set an amount aside; False when it does not fit."""
        if self.cap is not None and self._spent + self._held + amount > self.cap:
            return False
        self._held += amount
        return True

    def give_back(self, amount: NanoUSD) -> None:
        """What was set aside is free again."""
        self._held -= amount

    def spend(self, attempt: Attempt, cost: NanoUSD) -> None:
        """An attempt has ended, and counts as so much."""
        self._spent += cost
        self._heard(attempt)


class Hold:
    """One call's claim on the account, the ``Purse`` of its attempts. ``amount`` is what is set aside for the next.

    ``attempts`` counts those that have ended.
    """

    def __init__(self, account: Account, call: Call, model: Model) -> None:
        self.amount = NanoUSD(0)
        self.attempts = 0
        self._account = account
        self._call = call
        self._model = model
        self._worst: NanoUSD | None = None

    async def reserve(self) -> bool:
        """Set the worst case of one attempt aside; False when it does not fit.

        Most fit by the bound that costs nothing; real token counts are for those that may not.
        """
        if self._account.cap is None:
            return True
        amount = self.bound()
        if not self._account.take(amount):
            amount = await self.worst()
            if not self._account.take(amount):
                return False
        self.amount = amount
        return True

    def bound(self) -> NanoUSD:
        """What one attempt costs at most, from the sizes alone."""
        return at_most(self._call, self._model).cost

    async def worst(self) -> NanoUSD:
        """What one attempt costs at most, with real token counts: a smaller bound, milliseconds dearer."""
        if self._worst is None:
            self._worst = (await asyncio.to_thread(counted, self._call, self._model)).cost
        return self._worst

    def settle(self, attempt: Attempt) -> None:
        """An attempt has ended. One that broke on the way counts as billed in full, for nobody says what it cost."""
        self.attempts += 1
        cost = attempt.cost
        if may_be_billed(attempt) and self._account.cap is not None:
            cost = counted(self._call, self._model).cost
        self.release()
        self._account.spend(attempt, cost)

    def release(self) -> None:
        """What is still set aside will not be used."""
        self._account.give_back(self.amount)
        self.amount = NanoUSD(0)
