"""HTTP: the registry as a whole: what holds for all schemas, and its history."""

from fastapi import APIRouter

from service.registry.bodies import history_body
from service.registry.http import CHANGES, CurrentCaller, CurrentRegistry, Cursor, ExactRoute, Limit
from service.registry.lifecycle import set_config, set_mode
from service.registry.publishing import common_config
from service.registry.wire import ConfigBody, HistoryBody, RegistryModeBody

router = APIRouter(prefix="/v1/registry", tags=["Registry"], route_class=ExactRoute)


@router.get("/mode", summary="Show the registry's mode", operation_id="show_registry_mode")
async def show_mode(registry: CurrentRegistry) -> RegistryModeBody:
    """Whether the registry takes changes. Schemas may have a mode of their own."""
    mode = registry.snapshot.mode
    return RegistryModeBody.model_validate(
        {"mode": mode if mode in ("READONLY", "READONLY_OVERRIDE") else "READWRITE"}
    )


@router.put(
    "/mode", summary="Open or close the registry", operation_id="put_registry_mode", responses=CHANGES
)
async def put_mode(registry: CurrentRegistry, by: CurrentCaller, body: RegistryModeBody) -> RegistryModeBody:
    """`READONLY`: every change is a 409 `read_only`, but of schemas that are `READWRITE` themselves."""
    await registry.write(lambda writer: set_mode(writer, None, body.mode), by=by)
    return await show_mode(registry)


@router.get(
    "/config", summary="Show the registry's compatibility settings", operation_id="show_registry_config"
)
async def show_config(registry: CurrentRegistry) -> ConfigBody:
    """The level and policy of schemas that have none of their own."""
    level, policy = common_config(registry)
    return ConfigBody.model_validate({"level": level, "policy": policy})


@router.put(
    "/config",
    summary="Set the registry's compatibility",
    operation_id="put_registry_config",
    responses=CHANGES,
)
async def put_config(registry: CurrentRegistry, by: CurrentCaller, body: ConfigBody) -> ConfigBody:
    """Set the level and policy of schemas that have none of their own; null is FULL_TRANSITIVE by RECORDS."""
    await registry.write(lambda writer: set_config(writer, None, body.level, body.policy), by=by)
    return await show_config(registry)


@router.get("/history", summary="Show the registry's history", operation_id="show_registry_history")
async def show_history(registry: CurrentRegistry, limit: Limit = 50, cursor: Cursor = None) -> HistoryBody:
    """What was done to every schema and to the registry, when and by whom, newest first."""
    return await history_body(registry, None, limit=limit, cursor=cursor)
