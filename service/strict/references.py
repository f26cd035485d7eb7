"""Documents, the subschemas in them, and where a ``$ref`` leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin

from service.strict.drafts import DIALECTS, Dialect, Place, children, declared_draft
from service.strict.refused import SchemaRefused
from service.strict.shapes import fault

MAX_DEPTH = 1_000
"""Levels of subschemas in subschemas. Beyond, a schema is refused: no document is that deep."""

_METASCHEMAS = ("json-schema.org/draft-0", "json-schema.org/draft/20")


@dataclass(slots=True, eq=False)
class Resource:
    """A schema with an absolute URI of its own, and the names given inside it."""

    uri: str
    root: Any
    place: Place
    dialect: Dialect
    anchors: dict[str, Any] = field(default_factory=dict)
    dynamic: dict[str, Any] = field(default_factory=dict)
    recursive: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One subschema in its place. ``key`` is its number; equal numbers mean the same place."""

    key: int
    schema: Any
    place: Place
    resource: Resource

    @property
    def dialect(self) -> Dialect:
        """The dialect that its words are read in."""
        return self.resource.dialect


class Documents:
    """All schemas that one compilation can see. Hands out a ``Site`` for each subschema."""

    def __init__(self, schema: Any, dialect: Dialect, externals: Mapping[str, Any]) -> None:
        self.sites: list[Site] = []
        self._by_id: dict[int, Site] = {}
        self._resources: dict[str, Resource] = {}
        self._externals = externals
        self._alive: list[
            Any
        ] = []  # synthetic schemas: an id() may not be reused while sites are known by it
        self._memo: dict[Any, Site] = {}
        self.depth = 0
        """How many steps of a JSON Pointer the deepest subschema is away from its document's root."""
        self.compared = 0
        self.signatures: dict[int, Any] = {}
        """What ``exclusivity`` found out about sites, by their number."""
        self._modern = Resource("", {}, Place(), DIALECTS["2020-12"])
        self.root = self._add(schema, "", dialect)

    def _add(self, schema: Any, uri: str, dialect: Dialect) -> Site:
        resource = Resource(uri, schema, Place(None, f"{uri}#" if uri else ""), dialect)
        self._resources.setdefault(uri, resource)
        self._index(schema, resource.place, resource)
        return self.site(schema, resource.place, resource)

    def site(self, schema: Any, place: Place, resource: Resource) -> Site:
        """The site of a subschema: the one already known for this very object, or a new one."""
        known = self._by_id.get(id(schema)) if isinstance(schema, dict) else None
        if known is None:
            known = Site(len(self.sites), schema, place, resource)
            self.sites.append(known)
            if isinstance(schema, dict):
                self._by_id[id(schema)] = known
        return known

    def child(self, site: Site, *path: str | int) -> Site:
        """The site of the subschema at ``path`` below another."""
        schema, place = site.schema, site.place
        for step in path:
            schema, place = schema[step], place / step
        return self.site(schema, place, site.resource)

    def synthesise(self, key: Any, schema: dict[str, Any], like: Site) -> Site:
        """A site for a schema that no document contains, read as 2020-12; the same ``key`` gives the same site."""
        known = self._memo.get(key) or self._by_id.get(id(schema))
        if known is None:
            self._alive.append(schema)
            known = Site(len(self.sites), schema, like.place, self._modern)
            self.sites.append(known)
            self._by_id[id(schema)] = known
            self._memo[key] = known
        return known

    def _index(self, schema: Any, place: Place, resource: Resource) -> None:
        """Enter every subschema of a document, its identifiers and its anchors. Not recursive."""
        stack = [(schema, place, resource)]
        while stack:
            node, at, owner = stack.pop()
            if not isinstance(node, dict) or id(node) in self._by_id:
                continue
            if at.depth > MAX_DEPTH:
                raise SchemaRefused(
                    "", f"subschemas nest more than {MAX_DEPTH} levels deep; flatten the schema"
                )
            self.depth = max(self.depth, at.depth)
            owner = self._identify(node, at, owner)
            wrong = fault(node, owner.dialect)
            if wrong is not None:
                raise SchemaRefused((at / wrong[0]).pointer(), f"invalid schema: {wrong[0]!r} {wrong[1]}")
            self.site(node, at, owner)
            for path, child in children(node):
                below = at
                for step in path:
                    below = below / step
                stack.append((child, below, owner))

    def _identify(self, node: dict[str, Any], at: Place, owner: Resource) -> Resource:
        dialect = owner.dialect
        name = node.get(dialect.identifier)
        hidden = dialect.ref_hides_siblings and isinstance(node.get("$ref"), str)
        if isinstance(name, str) and name and not hidden:
            base, _, fragment = name.partition("#")
            if base:
                uri = _join(owner.uri, base)
                if owner.root is node:
                    owner.uri = uri
                else:
                    draft = declared_draft(node)
                    owner = Resource(uri, node, at, DIALECTS[draft] if draft else dialect)
                self._resources.setdefault(uri, owner)
            if fragment:
                owner.anchors.setdefault(fragment, node)
        for keyword, table in (("$anchor", owner.anchors), ("$dynamicAnchor", owner.dynamic)):
            anchor = node.get(keyword)
            if isinstance(anchor, str):
                table.setdefault(anchor, node)
                owner.anchors.setdefault(anchor, node)
        if node.get("$recursiveAnchor") is True and owner.root is node:
            owner.recursive = True
        return owner

    def resolve(self, site: Site, keyword: str) -> Site:
        """Where a reference leads.

        Raises ``SchemaRefused`` where it leads nowhere.
        """
        reference = site.schema[keyword]
        uri, _, fragment = reference.partition("#")
        at = (site.place / keyword).pointer()
        resource = self._resource(site.resource, uri, at, reference)
        outermost = self.root.resource
        if keyword == "$recursiveRef":
            if resource.recursive and outermost.recursive:
                resource = outermost
            return self.site(resource.root, resource.place, resource)
        if keyword == "$dynamicRef" and fragment in resource.dynamic and fragment in outermost.dynamic:
            return self.site(outermost.dynamic[fragment], outermost.place, outermost)
        return self._within(resource, fragment, at, reference)

    def is_dynamic(self, site: Site, keyword: str) -> bool:
        """Whether a reference leads to several places, by the way on which a validator came to it.

        Every way begins in the outermost resource: where that has the name, it decides.
        """
        outermost = self.root.resource
        if keyword == "$recursiveRef":
            several = sum(resource.recursive for resource in self._resources.values()) > 1
            return several and not outermost.recursive
        fragment = site.schema[keyword].partition("#")[2]
        several = sum(fragment in resource.dynamic for resource in self._resources.values()) > 1
        return keyword == "$dynamicRef" and several and fragment not in outermost.dynamic

    def _resource(self, current: Resource, uri: str, at: str, reference: str) -> Resource:
        if not uri:
            return current
        absolute = _join(current.uri, uri)
        for name in (absolute, uri):
            if name in self._resources:
                return self._resources[name]
        for name in (absolute, absolute + "#", uri, uri + "#"):
            document = self._externals.get(name, _metaschema(name))
            if isinstance(document, dict | bool):
                draft = declared_draft(document)
                dialect = DIALECTS[draft] if draft else current.dialect
                return self._add(document, absolute, dialect).resource
        raise SchemaRefused(
            at, f"the reference {reference[:200]!r} leads to a document that was not supplied"
        )

    def _within(self, resource: Resource, fragment: str, at: str, reference: str) -> Site:
        if not fragment:
            return self.site(resource.root, resource.place, resource)
        if not fragment.startswith("/"):
            node = resource.anchors.get(fragment, resource.anchors.get(unquote(fragment)))
            if node is None:
                raise SchemaRefused(
                    at, f"the reference {reference[:200]!r} names an anchor that does not exist"
                )
            return self.site(node, resource.place / fragment, resource)
        node, place, owner = resource.root, resource.place, resource
        for raw in fragment[1:].split("/"):
            node = _step(node, raw, at, reference)
            place = place / unquote(raw)
            known = self._by_id.get(id(node)) if isinstance(node, dict) else None
            if known is not None:
                owner = known.resource
        if not isinstance(node, dict | bool):
            raise SchemaRefused(at, f"the reference {reference[:200]!r} does not lead to a schema")
        if isinstance(node, dict) and id(node) not in self._by_id:
            self._index(node, place, owner)  # a place that no keyword leads to
        return self.site(node, place, owner)


def _step(node: Any, raw: str, at: str, reference: str) -> Any:
    decoded = unquote(raw).replace("~1", "/").replace("~0", "~")
    if isinstance(node, list) and decoded.isascii() and decoded.isdigit() and int(decoded) < len(node):
        return node[int(decoded)]
    if isinstance(node, dict):
        for token in (decoded, raw.replace("~1", "/").replace("~0", "~"), raw):
            if token in node:
                return node[token]
    raise SchemaRefused(at, f"the reference {reference[:200]!r} leads nowhere")


def _join(base: str, uri: str) -> str:
    try:
        return urljoin(base, uri)
    except ValueError:  # brackets that are no IPv6 address
        return uri


def _metaschema(uri: str) -> Any:
    """One of the drafts' own metaschemas; they are often referred to and never sent along."""
    if not any(part in uri for part in _METASCHEMAS):
        return None
    # Reads its files on import, and few schemas need it. The package carries no type information.
    from jsonschema_specifications import REGISTRY

    found = REGISTRY.get(uri.rstrip("#"))
    return None if found is None else found.contents
