"""Composition root: settings in, ASGI application out."""

import asyncio
import copy
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.exceptions import HTTPException

from service import access
from service.catalogue import Catalogue
from service.documents import Loader
from service.documents import Settings as DocumentSettings
from service.extraction import Extractor, Inputs, Store, openapi
from service.extraction import Settings as ExtractionSettings
from service.extraction.api import add_routes as add_extract_routes
from service.extraction.api import router as extraction_router
from service.extraction.typed.api import router as typed_router
from service.files import Fetcher, Files, UrlSettings
from service.files import Settings as FileSettings
from service.files.api import router as files_router
from service.foundation import clock, errors, idempotency, jsontext, problems, telemetry
from service.foundation.answers import Answers
from service.foundation.answers import Settings as IdempotencySettings
from service.foundation.asgi import Front, Render
from service.foundation.database import Database, file_of
from service.foundation.database import Settings as DatabaseSettings
from service.foundation.errors import BadRequest, Fault, MethodNotAllowed, NotFound, WinnowError
from service.registry import Registry, confluent
from service.registry import Settings as RegistrySettings
from service.registry.api import router as registry_router
from service.registry.api_beside import router as beside_router
from service.registry.api_drafts import router as drafts_router
from service.registry.api_registry import archives as archives_router
from service.registry.api_registry import router as whole_registry_router
from service.registry.models import Models
from service.upstream import Settings as UpstreamSettings
from service.upstream import Upstream
from service.upstream.api import router as models_router

VERSION = "0.1.0"
_REFRESH_AFTER_S = 60.0
_REFRESH_EVERY_S = 24 * 3600.0
"""When the provider's list of models is looked at: not while starting, and then once a day."""


class Settings(BaseSettings):
    """Everything that can be set. Environment: `WINNOW_` and the name; parts of a group are joined by `_`."""

    model_config = SettingsConfigDict(
        env_prefix="WINNOW_", env_nested_delimiter="_", env_nested_max_split=1, extra="ignore"
    )

    host: str = Field(
        "127.0.0.1", description="Address to listen on. Any but loopback needs `WINNOW_API_KEY`."
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    api_key: SecretStr | None = Field(None, description="Bearer token that callers must send.")
    insecure: bool = Field(False, description="Allow any address without a key.")
    sandbox: bool = Field(
        False, description="Ask the offline provider instead of OpenAI; records say `engine: sandbox`."
    )
    max_in_flight: int = Field(2048, ge=1, description="Requests worked on at once; the next one is a 503.")
    max_body_bytes: int = Field(64 * 1024 * 1024, ge=1024, description="Largest request body.")
    drain_s: int = Field(25, ge=0, description="Seconds that requests in flight are given after SIGTERM.")

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    idempotency: IdempotencySettings = Field(default_factory=IdempotencySettings)
    log: telemetry.Settings = Field(default_factory=telemetry.Settings)
    schemas: RegistrySettings = Field(default_factory=RegistrySettings)
    documents: DocumentSettings = Field(default_factory=DocumentSettings)
    files: FileSettings = Field(default_factory=FileSettings)
    urls: UrlSettings = Field(default_factory=UrlSettings)
    upstream: UpstreamSettings = Field(default_factory=UpstreamSettings)
    extraction: ExtractionSettings = Field(default_factory=ExtractionSettings)


def settings_from_environment(**given: Any) -> Settings:
    """Settings from `WINNOW_…`, from `OPENAI_API_KEY` and `OPENAI_BASE_URL`, and from ``given``, which wins."""
    names = {"OPENAI_API_KEY": "api_key", "OPENAI_BASE_URL": "base_url"}
    found = {field: os.environ[name] for name, field in names.items() if os.environ.get(name)}
    if found:
        given["upstream"] = {**found, **given.get("upstream", {})}
    return Settings(**given)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the lifespan opens: reached by the operations as ``request.app.state.parts``."""

    settings: Settings
    registry: Registry
    database: Database
    answers: Answers
    store: Store
    files: Files
    urls: Fetcher
    loader: Loader
    upstream: Upstream
    extractor: Extractor


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])


class Readiness(BaseModel):
    """Whether requests will be served, and by what."""

    status: str = Field(examples=["ready"])
    version: str
    engine: str = Field(description="`openai` or `sandbox`.")
    schemas: int
    isolation: str = Field(
        description="How the processes that parse documents are cut off from the network; `unknown` before the first one."
    )
    ocr: Literal["ready", "not installed", "off"] = Field(
        description="Whether the text of pictures is read where it is needed: the extra `ocr` or tesseract, and "
        "`WINNOW_DOCUMENTS_OCR`."
    )
    ocr_scripts: list[str] = Field(
        description="Languages whose scripts are read beyond Latin, Chinese and Japanese ones: those of the system's "
        "tesseract, by its own names.",
        examples=[["ara", "ell", "rus"]],
    )
    warnings: list[str] = Field(
        description="What needs an operator: a key or quota that failed, a model that stops within ninety days."
    )


class ProblemKind(BaseModel):
    """What a problem's code means."""

    code: str
    title: str
    status: int
    retryable: bool
    meaning: str
    hint: str


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application."""
    settings = settings or settings_from_environment()
    telemetry.configure(settings.log)
    gate = access.Gate(access.Settings(api_key=settings.api_key))
    schemas = Registry(settings.schemas)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.parts = await _open(settings, schemas, stack)
            _warn(app.state.parts.upstream)
            telemetry.log.info("ready", engine=app.state.parts.upstream.settings.engine, schemas=len(schemas))
            yield
        telemetry.log.info("stopped")

    async def admit(request: Request) -> None:
        caller = gate.admit(request.headers.get("authorization"))
        request.scope["state"]["caller"] = caller.name

    app = FastAPI(
        title="Winnow",
        version=VERSION,
        summary="Documents in, typed records out.",
        lifespan=lifespan,
        openapi_url=None,  # served below, made anew when the registry changes
    )
    add_extract_routes(app, gate)
    app.include_router(extraction_router, dependencies=[Depends(admit)])
    app.include_router(typed_router, dependencies=[Depends(admit)])
    for part in (registry_router, beside_router, drafts_router, whole_registry_router, archives_router):
        app.include_router(part, dependencies=[Depends(admit)])
    app.include_router(files_router, dependencies=[Depends(admit)])
    app.include_router(models_router, dependencies=[Depends(admit)])
    _add_operations(app, admit)
    _add_problems(app)
    app.add_middleware(
        idempotency.Idempotency, answers=lambda scope: scope["app"].state.parts.answers, caller=gate.scope
    )
    faces = _add_faces(app, settings, schemas, gate)
    app.add_middleware(
        Front,
        max_in_flight=settings.max_in_flight,
        max_body_bytes=settings.max_body_bytes,
        faces=faces,
    )
    _describe(app, schemas, faces)
    return app


def _add_faces(app: FastAPI, settings: Settings, schemas: Registry, gate: access.Gate) -> dict[str, Render]:
    """Add what speaks other protocols than ours; returns how each of them says what went wrong."""
    if not settings.schemas.confluent:
        return {}
    face = confluent.face(
        schemas, admit=lambda authorization: gate.admit(authorization).name, version=VERSION
    )
    app.router.routes.append(face)
    return {confluent.PREFIX: confluent.render}


async def _open(settings: Settings, schemas: Registry, stack: AsyncExitStack) -> Parts:
    """Open everything that must be closed, in the order of need; ``stack`` closes it in reverse."""
    import service.registry.store  # noqa: F401 - declares its tables: a new database gets all that are declared

    data = Database(settings.database)
    stack.push_async_callback(data.close)
    await data.open()
    await schemas.open(data)
    stack.push_async_callback(schemas.close)
    answers = Answers(data, settings.idempotency)
    stack.push_async_callback(answers.close)
    await answers.open()
    provider = settings.upstream
    if settings.sandbox:
        url = await stack.enter_async_context(_sandbox())
        provider = provider.model_copy(
            update={"base_url": url, "api_key": SecretStr("sk-sandbox"), "engine": "sandbox"}
        )
    catalogue = Catalogue.load()
    if provider.engine == "sandbox":
        catalogue = catalogue.with_scenarios()
    ours = Upstream(provider, catalogue)
    await ours.open()
    stack.push_async_callback(ours.close)
    schemas.models = Models(lambda: ours.catalogue, on_retirement=settings.extraction.on_retirement)
    refreshing = asyncio.create_task(_refresh_shutdown_dates(ours))
    stack.push_async_callback(_cancel, refreshing)
    files = Files(settings.files, data, _files_folder(settings))
    await files.open()
    stack.push_async_callback(files.close)
    urls = Fetcher(settings.urls, files.spool)
    await urls.open()
    stack.push_async_callback(urls.close)
    loader = Loader(settings.documents)
    await loader.open()
    stack.push_async_callback(loader.close)
    store = Store(data)
    stack.push_async_callback(store.close)
    extractor = Extractor(
        settings.extraction,
        loader=loader,
        inputs=Inputs(files, urls),
        upstream=ours,
        store=store,
        engine=provider.engine,
    )
    return Parts(settings, schemas, data, answers, store, files, urls, loader, ours, extractor)


def _files_folder(settings: Settings) -> FilePath:
    """Where uploaded files lie: beside the database where that is a file."""
    if settings.files.folder is not None:
        return settings.files.folder
    database = file_of(settings.database)
    return FilePath("winnow-files") if database is None else database.with_name(f"{database.stem}-files")


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _warn(upstream: Upstream) -> None:
    """Say at the start what will stop working: models that are switched off within ninety days."""
    health = upstream.ready(today=clock.now().date())
    for text in (*health.problems, *health.warnings):
        telemetry.log.warning("upstream", message=text)


async def _refresh_shutdown_dates(upstream: Upstream) -> None:
    """Take over what the provider's own list of models says of their end, once a day.

    It is only a list: without it the catalogue's own dates hold, so trouble is no reason to stop.
    """
    await asyncio.sleep(_REFRESH_AFTER_S)
    while True:
        dates = await upstream.shutdown_dates(deadline=clock.monotonic() + 30)
        upstream.catalogue = upstream.catalogue.with_stops(dates)
        telemetry.log.info("shutdown_dates", models=len(dates))
        await asyncio.sleep(_REFRESH_EVERY_S)


@asynccontextmanager
async def _sandbox() -> AsyncIterator[str]:
    """The offline provider in a process of its own, for as long as this one lives. Yields its base URL."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service.cli",
        "sandbox",
        "--port",
        "0",
        "--until-eof",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None  # noqa: S101 - narrows the types: both are pipes
    assert child.stdout is not None  # noqa: S101
    try:
        line = (await asyncio.wait_for(child.stdout.readline(), 30)).decode().strip()
        if not line.startswith("http://"):
            raise RuntimeError("the sandbox did not start; its own output says why")
        yield line
    finally:
        child.stdin.close()  # the sandbox ends with its standard input, also when this process is killed
        try:
            await asyncio.wait_for(child.wait(), 5)
        except TimeoutError:
            child.kill()
            await child.wait()


def _add_operations(app: FastAPI, admit: Any) -> None:
    @app.get("/healthz", summary="Is the process alive?", operation_id="health", tags=["Operations"])
    async def healthz() -> Health:
        """Answers as long as the event loop turns."""
        return Health(status="ok")

    @app.get(
        "/readyz",
        summary="Will requests be served?",
        operation_id="readiness",
        tags=["Operations"],
        responses=openapi.problems("503"),
    )
    async def readyz(request: Request) -> Readiness:
        """Asks the database; says which provider answers and how parsers are isolated."""
        parts: Parts = request.app.state.parts
        await parts.database.ping()
        await parts.upstream.loaded()
        health = parts.upstream.ready(today=clock.now().date())
        return Readiness(
            status="ready",
            version=VERSION,
            engine=parts.upstream.settings.engine,
            schemas=len(parts.registry),
            isolation=parts.loader.isolation(),
            ocr=parts.loader.ocr(),
            ocr_scripts=list(parts.loader.ocr_scripts()),
            warnings=[*health.problems, *health.warnings],
        )

    @app.get(
        "/metrics",
        summary="Prometheus metrics",
        operation_id="metrics",
        tags=["Operations"],
        dependencies=[Depends(admit)],
        response_class=Response,
        responses={
            200: {
                "content": {"text/plain": {"schema": {"type": "string"}}},
                "description": "Text exposition format.",
            }
        },
    )
    async def metrics() -> Response:
        """Counters and histograms of this process."""
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    @app.get(
        "/problems/{code}",
        summary="What a problem means",
        operation_id="show_problem",
        tags=["Operations"],
        responses={404: {"model": problems.Problem, "description": "No problem has this code."}},
    )
    async def show_problem(
        code: Annotated[str, Path(max_length=64, examples=["bad_request"])],
    ) -> ProblemKind:
        """The page behind a problem's `type`."""
        for kind in errors.leaves():
            if kind.code == code:
                return ProblemKind(
                    code=kind.code,
                    title=kind.title,
                    status=kind.status,
                    retryable=kind.retryable,
                    meaning=(kind.__doc__ or "").strip(),
                    hint=kind.hint,
                )
        raise NotFound("No problem has this code.")


def _add_problems(app: FastAPI) -> None:
    """Every error leaves as a problem document."""

    def answer(request: Request, error: WinnowError) -> Response:
        telemetry.PROBLEMS.labels(error.code).inc()
        telemetry.log.info("problem", code=error.code, status=error.status)
        status, headers, body = problems.render(error, request.scope["state"].get("request_id"))
        return Response(body, status, headers)

    @app.exception_handler(WinnowError)
    async def known(request: Request, error: WinnowError) -> Response:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            Fault("/" + "/".join(str(step) for step in item["loc"]), f"{item['msg']}.")
            for item in error.errors()
        ]
        return answer(
            request, BadRequest("The request does not have the form that `/docs` describes.", errors=faults)
        )

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer(request, NotFound("Nothing lives at this path; `/docs` lists every operation."))
        if error.status_code == 405:
            response = answer(request, MethodNotAllowed("This path does not take this method."))
            response.headers.update(error.headers or {})
            return response
        return answer(request, BadRequest(str(error.detail)))


def _describe(app: FastAPI, schemas: Registry, faces: Mapping[str, Render]) -> None:
    """The OpenAPI document: FastAPI's own, with the typed extract operations, problems and the security scheme.

    It changes with the registry: made anew for each change, away from the event loop, and kept as text.
    """
    about = "Errors are RFC 9457 problems; `x-request-id` stands on every answer."
    if confluent.PREFIX in faces:
        about += (
            f" Clients of the Confluent Schema Registry find the registry of these schemas under `{confluent.PREFIX}`; "
            "its paths and errors are those of that protocol, and do not stand here."
        )
    kept: tuple[int, bytes, str] | None = None
    making = asyncio.Lock()

    def fixed() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=about,
                routes=app.routes,
            )
        return app.openapi_schema

    def build() -> dict[str, Any]:
        document = copy.deepcopy(fixed())
        components = document["components"]["schemas"]
        components.update({name: openapi.without_defaults(one) for name, one in components.items()})
        paths, more = openapi.describe(schemas.all(), taken=components)
        components.update(more)
        document["components"]["securitySchemes"] = copy.deepcopy(openapi.SECURITY)
        document["paths"] = {**paths, **document["paths"]}
        for path, operations in document["paths"].items():
            openapi.finish(path, operations)
        for unused in ("HTTPValidationError", "ValidationError"):
            components.pop(unused, None)
        return document

    async def text() -> tuple[bytes, str]:
        nonlocal kept
        async with making:
            if kept is None or kept[0] != schemas.change:
                change = schemas.change
                content = await asyncio.to_thread(lambda: jsontext.render(build()))
                kept = (change, content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
            return kept[1], kept[2]

    async def document(request: Request) -> Response:
        content, tag = await text()
        headers = {"etag": tag, "cache-control": "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json")

    async def docs(_: Request) -> Response:
        return get_swagger_ui_html(openapi_url="/openapi.json", title=f"{app.title} - Swagger UI")

    app.add_route("/openapi.json", document, include_in_schema=False)
    app.add_route("/docs", docs, include_in_schema=False)
    app.openapi = build  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
