"""Response objects and stream events as they stand on the wire (contract sections 1.4 and 2)."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from service.sandbox.engine import Job, Written

__all__ = ["Frames", "deltas", "finished", "identifier", "logprobs", "started", "stream_body", "usage"]


def identifier(prefix: str) -> str:
    """A fresh id such as `resp_` and 48 hex digits."""
    return f"{prefix}_{secrets.token_hex(24)}"


def started(job: Job, response_id: str, created_at: int, status: str = "in_progress") -> dict[str, Any]:
    """The Response object before anything is generated, with every echo of the request."""
    body = job.body
    text = body.get("text") or {}
    reasoning = body.get("reasoning") or {}
    tier = body.get("service_tier")
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "status": status,
        "background": body.get("background") or False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": job.echoed_name,
        "output": [],
        "parallel_tool_calls": _default(body.get("parallel_tool_calls"), fallback=True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {
            "effort": reasoning.get("effort") or ("medium" if job.model.reasoning else None),
            "summary": reasoning.get("summary"),
        },
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": {"fast": "priority", "auto": "default", None: "default"}.get(tier, tier),
        "store": _default(body.get("store"), fallback=True),
        "temperature": _default(body.get("temperature"), fallback=1.0),
        "text": {"format": _format(text.get("format")), "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": _default(body.get("top_p"), fallback=1.0),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def _default(value: Any, *, fallback: Any) -> Any:
    return fallback if value is None else value


def _format(sent: Mapping[str, Any] | None) -> dict[str, Any]:
    if not sent or sent["type"] != "json_schema":
        return {"type": sent["type"] if sent else "text"}
    echo = {
        "type": "json_schema",
        "name": sent["name"],
        "schema": sent["schema"],
        "strict": bool(sent.get("strict")),
    }
    return echo if sent.get("description") is None else {**echo, "description": sent["description"]}


def usage(job: Job, written: Written) -> dict[str, Any]:
    """Billed tokens in the names of `/v1/responses`."""
    return {
        "input_tokens": job.input_tokens,
        "input_tokens_details": {"cached_tokens": job.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": written.output_tokens,
        "output_tokens_details": {"reasoning_tokens": written.reasoning_tokens},
        "total_tokens": job.input_tokens + written.output_tokens,
    }


def logprobs(pieces: tuple[bytes, ...], top: int) -> list[dict[str, Any]]:
    """Log-probabilities that depend only on the tokens: the same text always gets the same ones."""
    rows: list[dict[str, Any]] = []
    for index, piece in enumerate(pieces):
        draw = hashlib.blake2b(piece + index.to_bytes(4), digest_size=2).digest()
        chance = -round(int.from_bytes(draw) / 65_536 * 0.2, 6)
        entry = {"token": piece.decode("utf-8", "replace"), "logprob": chance, "bytes": list(piece)}
        others = [
            {
                "token": f"~{rank}",
                "logprob": round(chance - 2.0 * rank, 6),
                "bytes": list(f"~{rank}".encode()),
            }
            for rank in range(1, top)
        ]
        rows.append({**entry, "top_logprobs": [entry, *others] if top else []})
    return rows


def finished(job: Job, written: Written, response: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The Response object after generation."""
    if written.failed:
        error = {"code": "server_error", "message": "The model failed to generate a response."}
        return {**response, "status": "failed", "error": error}
    status = "incomplete" if written.stopped else "completed"
    return {
        **response,
        "status": status,
        "completed_at": None if written.stopped else now,
        "incomplete_details": {"reason": written.stopped} if written.stopped else None,
        "output": [*_reasoning_items(job), *_message_items(job, written)],
        "usage": usage(job, written),
    }


def _reasoning_items(job: Job) -> list[dict[str, Any]]:
    if not job.reasoning_tokens:
        return []
    return [{"id": identifier("rs"), "type": "reasoning", "summary": []}]


def _message_items(job: Job, written: Written) -> list[dict[str, Any]]:
    if written.stopped and not written.text:
        return []
    if written.tool is not None:
        return [
            {
                "id": identifier("fc"),
                "type": "function_call",
                "status": "incomplete" if written.stopped else "completed",
                "call_id": f"call_{secrets.token_hex(12)}",
                "name": written.tool,
                "arguments": written.text,
            }
        ]
    return [
        {
            "id": identifier("msg"),
            "type": "message",
            "status": "incomplete" if written.stopped else "completed",
            "role": "assistant",
            "content": [_part(job, written)],
        }
    ]


def _part(job: Job, written: Written) -> dict[str, Any]:
    if written.refusal:
        return {"type": "refusal", "refusal": written.text}
    entries = logprobs(written.pieces, job.top_logprobs) if job.top_logprobs is not None else []
    return {"type": "output_text", "text": written.text, "annotations": [], "logprobs": entries}


# ------------------------------------------------------------------------------------------ events
class Frames:
    """Numbers the events of one stream and renders them as server-sent events."""

    def __init__(self) -> None:
        self.number = 0

    def event(self, type: str, **payload: Any) -> dict[str, Any]:
        """The next event, numbered."""
        event = {"type": type, **payload, "sequence_number": self.number}
        self.number += 1
        return event

    @staticmethod
    def frame(event: Mapping[str, Any]) -> bytes:
        """One frame: event line, data line, blank line."""
        return b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), orjson.dumps(event))


def stream_body(
    written: Written, final: Mapping[str, Any], frames: Frames, *, obfuscate: bool
) -> Iterator[dict[str, Any]]:
    """Every event between `response.in_progress` and the terminal one, then the terminal one."""
    for index, item in enumerate(final["output"]):
        if item["type"] == "reasoning":
            yield frames.event("response.output_item.added", output_index=index, item=item)
            yield frames.event("response.output_item.done", output_index=index, item=item)
        elif item["type"] == "function_call":
            yield from _call_events(written, item, index, frames, obfuscate=obfuscate)
        else:
            yield from _message_events(written, item, index, frames, obfuscate=obfuscate)
    yield frames.event(f"response.{final['status']}", response=final)


def _call_events(
    written: Written, item: Mapping[str, Any], index: int, frames: Frames, *, obfuscate: bool
) -> Iterator[dict[str, Any]]:
    where: dict[str, Any] = {"item_id": item["id"], "output_index": index}
    opening = {**item, "status": "in_progress", "arguments": ""}
    yield frames.event("response.output_item.added", output_index=index, item=opening)
    for delta, _ in deltas(written.pieces):
        padding = {"obfuscation": secrets.token_urlsafe(12)} if obfuscate else {}
        yield frames.event("response.function_call_arguments.delta", **where, delta=delta, **padding)
    yield frames.event(
        "response.function_call_arguments.done", **where, name=item["name"], arguments=written.text
    )
    yield frames.event("response.output_item.done", output_index=index, item=item)


def _message_events(
    written: Written, item: Mapping[str, Any], index: int, frames: Frames, *, obfuscate: bool
) -> Iterator[dict[str, Any]]:
    part = item["content"][0]
    where: dict[str, Any] = {"item_id": item["id"], "output_index": index, "content_index": 0}
    opening = {**item, "status": "in_progress", "content": []}
    yield frames.event("response.output_item.added", output_index=index, item=opening)
    if written.refusal:
        empty: dict[str, Any] = {"type": "refusal", "refusal": ""}
    else:
        empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield frames.event("response.content_part.added", **where, part=empty)
    entries = [
        {
            "token": entry["token"],
            "logprob": entry["logprob"],
            "top_logprobs": [
                {"token": other["token"], "logprob": other["logprob"]} for other in entry["top_logprobs"]
            ],
        }
        for entry in part.get("logprobs", [])
    ]
    position = 0
    for delta, spent in deltas(written.pieces):
        payload: dict[str, Any] = {**where, "delta": delta}
        if not written.refusal:
            payload["logprobs"] = entries[position : position + spent]
        position += spent
        if obfuscate:
            payload["obfuscation"] = secrets.token_urlsafe(12)[: max(1, 16 - len(delta) % 16)]
        kind = "response.refusal.delta" if written.refusal else "response.output_text.delta"
        yield frames.event(kind, **payload)
    if written.refusal:
        yield frames.event("response.refusal.done", **where, refusal=written.text)
    else:
        yield frames.event("response.output_text.done", **where, text=written.text, logprobs=entries)
    yield frames.event("response.content_part.done", **where, part=part)
    yield frames.event("response.output_item.done", output_index=index, item=item)


def deltas(pieces: tuple[bytes, ...]) -> Iterator[tuple[str, int]]:
    """Text deltas and how many tokens each spends: a character split over tokens comes out whole.

    Bytes of a last character that was cut off are dropped, as in the text itself.
    """
    pending = b""
    spent = 0
    for piece in pieces:
        pending += piece
        spent += 1
        try:
            text = pending.decode()
        except UnicodeDecodeError:
            continue
        yield text, spent
        pending, spent = b"", 0
    rest = pending.decode("utf-8", "ignore")
    if rest:
        yield rest, spent
