"""Rate limits: one request bucket and one token bucket per key and model, refilled continuously."""

from collections import OrderedDict
from dataclasses import dataclass

from service.sandbox.errors import ProviderError

__all__ = ["Buckets", "duration"]

_VISIT = "Visit https://platform.openai.com/account/rate-limits to learn more."


def duration(seconds: float) -> str:
    """A Go duration as the headers print it: `84ms`, `1s`, `33.023s`, `6m0s`, `1h2m3.5s`."""
    milliseconds = max(0, round(seconds * 1000))
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{shown}"
    return f"{minutes}m{shown}" if minutes else shown


@dataclass(slots=True)
class _Bucket:
    limit: int
    level: float
    at: float

    def refill(self, now: float) -> None:
        self.level = min(self.limit, self.level + (now - self.at) * self.limit / 60)
        self.at = now

    def wait_for(self, amount: float) -> float:
        return max(0.0, (amount - self.level) * 60 / self.limit)


class Buckets:
    """The buckets of all keys and models; idle ones beyond a thousand are forgotten."""

    _REMEMBERED = 1_000

    def __init__(self, requests_per_minute: int, tokens_per_minute: int, organization: str) -> None:
        self._rpm = max(1, requests_per_minute)
        self._tpm = max(1, tokens_per_minute)
        self._organization = organization
        self._pairs: OrderedDict[tuple[str, str], tuple[_Bucket, _Bucket]] = OrderedDict()

    def _pair(self, key: str, model: str, now: float) -> tuple[_Bucket, _Bucket]:
        pair = self._pairs.pop((key, model), None)
        if pair is None:
            pair = (_Bucket(self._rpm, self._rpm, now), _Bucket(self._tpm, self._tpm, now))
        self._pairs[key, model] = pair
        if len(self._pairs) > self._REMEMBERED:
            self._pairs.popitem(last=False)
        for bucket in pair:
            bucket.refill(now)
        return pair

    def admit(self, key: str, model: str, tokens: int, now: float) -> None:
        """Takes one request and `tokens` from the buckets.

        Raises `ProviderError` 429 with retry-after headers, or without them when the request never fits.
        """
        requests, budget = self._pair(key, model, now)
        if tokens > budget.limit:
            raise ProviderError(
                429,
                f"Request too large for {model} in organization {self._organization} on tokens per min (TPM): "
                f"Limit {budget.limit}, Requested {tokens}. The input or output tokens must be reduced in order "
                f"to run successfully. {_VISIT}",
                type="tokens",
                code="rate_limit_exceeded",
                headers=self.headers(key, model, now),
            )
        for bucket, amount, kind, unit in (
            (requests, 1, "requests", "requests per min (RPM)"),
            (budget, tokens, "tokens", "tokens per min (TPM)"),
        ):
            wait = bucket.wait_for(amount)
            if wait > 0:
                raise rate_limited(
                    model, self._organization, kind, unit, bucket.limit, round(bucket.limit - bucket.level),
                    amount, wait, self.headers(key, model, now),
                )  # fmt: skip
        requests.level -= 1
        budget.level -= tokens

    def headers(self, key: str, model: str, now: float) -> dict[str, str]:
        """The six `x-ratelimit-*` headers as they stand."""
        requests, tokens = self._pair(key, model, now)
        shown: dict[str, str] = {}
        for name, bucket in (("requests", requests), ("tokens", tokens)):
            shown[f"x-ratelimit-limit-{name}"] = str(bucket.limit)
            shown[f"x-ratelimit-remaining-{name}"] = str(max(0, int(bucket.level)))
            shown[f"x-ratelimit-reset-{name}"] = duration(bucket.wait_for(bucket.limit))
        return shown


def rate_limited(
    model: str,
    organization: str,
    kind: str,
    unit: str,
    limit: int,
    used: int,
    requested: int,
    wait_s: float,
    headers: dict[str, str],
) -> ProviderError:
    """429 `rate_limit_exceeded` in the provider's words, with both retry headers."""
    milliseconds = max(1, round(wait_s * 1000))
    return ProviderError(
        429,
        f"Rate limit reached for {model} in organization {organization} on {unit}: Limit {limit}, "
        f"Used {used}, Requested {requested}. Please try again in {duration(milliseconds / 1000)}. {_VISIT}",
        type=kind,
        code="rate_limit_exceeded",
        headers={
            **headers,
            "retry-after": str(-(-milliseconds // 1000)),
            "retry-after-ms": str(milliseconds),
        },
    )
