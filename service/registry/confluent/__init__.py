"""The registry as clients of the Confluent Schema Registry know it, under ``/confluent``; JSON Schema only.

A map in words: ``http`` is the wire (paths, media types, errors). What each path answers stands in ``server``,
``subjects`` (with ``chosen``), ``ids`` and ``control``. ``registering`` turns what a client sent into a version,
``comparing`` says whether it may follow others, ``levels`` is config and mode, ``wire`` the JSON, ``names`` subjects and
versions, ``errors`` the codes.

Subjects. A subject is a schema of the same name, its versions are the schema's versions, on both sides: what is
published under ``/v1/schemas/orders-value`` is registered under ``/confluent/subjects/orders-value`` and the reverse.
Subjects may be called what ``/v1`` gives no new schema (``com.acme.Order``, ``a/b``): any text without control
characters, of at most 255 characters, but not ``__GLOBAL`` and ``__EMPTY``. Such a schema stands in the lists of
``/v1``, can be extracted with wherever a path can hold its name, and has no operation of its own in ``/openapi.json``.
``:.:name`` is ``name``; there is no context but the default one.

Versions and ids. Numbers are never given twice, also after a permanent deletion. Ids belong to contents: schema,
references, metadata and rules (and, for what ``/v1`` published, instructions and the like). The same content in two
subjects has one id. ``latest`` and -1 are the newest version that is not held back. A schema is handed out as its author
wrote it, without white space; ``normalize`` sorts its members, which is also the order in which a model then writes them.

What is registered. Any JSON Schema that validators can read: valid against its meta-schema, every ``$ref`` resolved. That
our strict compiler refuses one (nothing can satisfy it, no technique fits) is no reason not to register it, for other
teams only validate with it: extraction with it is then a 422 that says why. A version registered here keeps the
instructions, rules, examples and policy of the subject's latest version, which this protocol cannot say; rules and
examples that do not fit the new schema any more make it a 42201. Rules of a ``ruleSet`` are kept and handed out, and run
by clients only.

Compatibility is the registry's own checker. FULL_TRANSITIVE by policy RECORDS until somebody sets something; a level set
here without a policy brings policy STRICT, the protocol's own. ``compatibilityPolicy`` takes RECORDS too.
``compatibilityGroup`` compares only versions with the same value of that metadata property.

Refused by name: contexts, ``alias``, default and override metadata and rules, tags on schemas, Avro and Protobuf.
``format`` and ``reference_format`` mean nothing to JSON Schema and are passed over.

Authentication: ``WINNOW_API_KEY`` as a bearer token, or as the password of basic authentication with any user. The paths
stand in the protocol's own documentation and not in ``/openapi.json``: they have another form of errors than the rest.
"""

from collections.abc import Callable

from service.registry.confluent.control import Control
from service.registry.confluent.errors import render
from service.registry.confluent.http import Face
from service.registry.confluent.ids import Ids
from service.registry.confluent.server import Server
from service.registry.confluent.subjects import Subjects
from service.registry.registry import Registry

PREFIX = "/confluent"


def face(registry: Registry, *, admit: Callable[[str | None], str], version: str) -> Face:
    """The ASGI application; ``version`` is what the service says of itself."""
    parts = (Server(version), Subjects(registry), Ids(registry), Control(registry))

    async def renew() -> bool:
        before = registry.change
        await registry.refresh()
        return registry.change != before

    return Face(PREFIX, [route for part in parts for route in part.routes()], admit=admit, renew=renew)


__all__ = ["PREFIX", "face", "render"]
