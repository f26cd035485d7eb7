"""Config and mode: what each path answers."""

from collections.abc import Sequence
from functools import partial

from service.registry import lifecycle
from service.registry.confluent import levels, names
from service.registry.confluent.http import Answer, Ask, Route
from service.registry.registry import Registry
from service.registry.snapshot import Config, Mode
from service.registry.store import Writer


class Control:
    """The operations on config and mode, of a subject and of the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def routes(self) -> Sequence[Route]:
        """The paths with their methods."""
        return [
            Route("GET", "/config", self.show_config),
            Route("PUT", "/config", self.put_config),
            Route("DELETE", "/config", self.delete_config),
            Route("GET", "/config/{subject}", self.show_subject_config),
            Route("PUT", "/config/{subject}", self.put_subject_config),
            Route("DELETE", "/config/{subject}", self.delete_subject_config),
            Route("GET", "/mode", self.show_mode),
            Route("PUT", "/mode", self.put_mode),
            Route("DELETE", "/mode", self.delete_mode),
            Route("GET", "/mode/{subject}", self.show_subject_mode),
            Route("PUT", "/mode/{subject}", self.put_subject_mode),
            Route("DELETE", "/mode/{subject}", self.delete_subject_mode),
        ]

    # ------------------------------------------------------------------------------------------------------------- config

    async def show_config(self, _: Ask) -> Answer:
        """The registry's level."""
        return levels.config_body(levels.with_defaults(self._registry.snapshot.config))

    async def put_config(self, ask: Ask) -> Answer:
        """Change the registry's config; what is not named stays."""
        body = await ask.json()
        change = levels.config_change(body, tolerant=ask.tolerant)

        def write(writer: Writer) -> None:
            lifecycle.ensure_writable(writer, None)
            _set_config(writer, change.of(writer.config))

        await self._registry.write(write, by=ask.caller)
        return body

    async def delete_config(self, ask: Ask) -> Answer:
        """Back to what applies where nothing is set. Answers with what was set before."""

        def write(writer: Writer) -> Config:
            lifecycle.ensure_writable(writer, None)
            before = writer.config
            _set_config(writer, Config())
            return before

        before = await self._registry.write(write, by=ask.caller)
        return levels.config_body(levels.with_defaults(before))

    async def show_subject_config(self, ask: Ask) -> Answer:
        """A subject's own level; with `defaultToGlobal` the one in force."""
        subject = names.plain(ask.at("subject"))
        config = levels.subject_config(
            self._registry.snapshot, subject, or_global=ask.flag("defaultToGlobal")
        )
        return levels.config_body(config)

    async def put_subject_config(self, ask: Ask) -> Answer:
        """Change a subject's config; the subject may come later."""
        subject = names.new_subject(ask.at("subject"))
        body = await ask.json()
        change = levels.config_change(body, tolerant=ask.tolerant)

        def write(writer: Writer) -> None:
            lifecycle.ensure_writable(writer, subject)
            entry = writer.entry(subject)
            _set_subject_config(writer, subject, change.of(Config() if entry is None else entry.config))

        await self._registry.write(write, by=ask.caller)
        return body

    async def delete_subject_config(self, ask: Ask) -> Answer:
        """Leave a subject to the registry's config. Answers with what it had."""
        subject = names.plain(ask.at("subject"))

        def write(writer: Writer) -> Config:
            before = levels.own_config(writer.entry(subject), subject)
            lifecycle.ensure_writable(writer, subject)
            _set_subject_config(writer, subject, Config())
            return before

        return levels.config_body(await self._registry.write(write, by=ask.caller))

    # --------------------------------------------------------------------------------------------------------------- mode

    async def show_mode(self, _: Ask) -> Answer:
        """The registry's mode."""
        return {"mode": self._registry.snapshot.mode}

    async def put_mode(self, ask: Ask) -> Answer:
        """Open or close the registry."""
        return await self._put_mode(ask, None)

    async def delete_mode(self, ask: Ask) -> Answer:
        """Back to READWRITE. Answers with the mode before."""

        def write(writer: Writer) -> Mode:
            before = writer.mode
            lifecycle.set_mode(writer, None, None)
            return before

        return {"mode": await self._registry.write(write, by=ask.caller)}

    async def show_subject_mode(self, ask: Ask) -> Answer:
        """A subject's own mode; with `defaultToGlobal` the one in force."""
        subject, snapshot = names.plain(ask.at("subject")), self._registry.snapshot
        if ask.flag("defaultToGlobal"):
            return {"mode": levels.mode_in(snapshot, subject)}
        return {"mode": levels.own_mode(snapshot.entries.get(subject), subject)}

    async def put_subject_mode(self, ask: Ask) -> Answer:
        """Open or close a subject; it may come later."""
        return await self._put_mode(ask, names.new_subject(ask.at("subject")))

    async def _put_mode(self, ask: Ask, subject: str | None) -> Answer:
        mode = levels.wanted_mode(await ask.json(), tolerant=ask.tolerant)
        levels.permit_mode(self._registry.snapshot, subject, mode, force=ask.flag("force"))
        await self._registry.write(partial(lifecycle.set_mode, name=subject, mode=mode), by=ask.caller)
        return {"mode": mode}

    async def delete_subject_mode(self, ask: Ask) -> Answer:
        """Leave a subject to the registry's mode. Answers with the one it had."""
        subject = names.plain(ask.at("subject"))

        def write(writer: Writer) -> Mode:
            before = levels.own_mode(writer.entry(subject), subject, forget=True)
            lifecycle.set_mode(writer, subject, None)
            return before

        return {"mode": await self._registry.write(write, by=ask.caller)}


def _set_config(writer: Writer, config: Config) -> None:
    writer.set_config(config)
    writer.note("config", None, None, config.document())


def _set_subject_config(writer: Writer, subject: str, config: Config) -> None:
    writer.ensure(subject)
    writer.set_schema(subject, config=config)
    writer.note("config", subject, None, config.document())
