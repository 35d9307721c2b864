"""The OpenAPI 3.1 document, generated from the routes, their docstrings and the pydantic models they use.

Views are described by a note and left as they are: a wrapper that checks and copies every request would sit in the
vote's path, and refusals have one wording and one place already (docs/decisions/0006).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

View = TypeVar("View", bound=Callable[..., Any])
Model = type[BaseModel]
_NOTES = "openapi_notes"
_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Notes:
    """What a view takes and answers. ``answers``: status -> body, None for no body; ``problems``: statuses refused."""

    tag: str
    answers: dict[int, Model | None]
    problems: tuple[int, ...] = ()
    query: Model | None = None
    body: Model | None = None
    #: (where, name, what it is) of headers and cookies
    carries: tuple[tuple[str, str, str], ...] = field(default=())

    def models(self) -> set[Model]:
        return {model for model in (*self.answers.values(), self.query, self.body) if model is not None}


def documented(notes: Notes) -> Callable[[View], View]:
    """Note for the document what a view takes and answers; the view itself is not touched."""

    def note(view: View) -> View:
        setattr(view, _NOTES, notes)
        return view

    return note


def build_document(app: Flask, prefix: str, problem: Model, title: str, version: str) -> dict[str, Any]:
    """The document of every noted route under ``prefix``; ``problem`` is the body of all refusals."""
    routes = [
        (rule.rule, method.lower(), inspect.unwrap(app.view_functions[rule.endpoint]))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.rule.startswith(prefix)
    ]
    models = {problem}.union(*(getattr(view, _NOTES).models() for _, _, view in routes))
    inputs = [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)]
    _, schemas = models_json_schema(inputs, ref_template=_REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, view in sorted(routes, key=lambda route: route[:2]):
        path = _PARAMETER.sub(r"{\1}", rule)
        paths.setdefault(path, {})[method] = _operation(rule, view, getattr(view, _NOTES), problem, schemas["$defs"])
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(
    rule: str, view: Callable[..., Any], notes: Notes, problem: Model, schemas: dict[str, Any]
) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(view.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {"operationId": view.__name__, "tags": [notes.tag], "summary": summary}
    if description:
        operation["description"] = description
    parameters = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(rule)
    ]
    if notes.query is not None:
        fields = schemas[notes.query.__name__]["properties"]
        parameters += [{"in": "query", "name": name, "schema": schema} for name, schema in fields.items()]
    parameters += [
        {"in": where, "name": name, "description": what, "schema": {"type": "string"}}
        for where, name, what in notes.carries
    ]
    if parameters:
        operation["parameters"] = parameters
    if notes.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(notes.body, "application/json")}
    answers = {status: _content(model, "application/json") for status, model in notes.answers.items()}
    answers |= {status: _content(problem, "application/problem+json") for status in notes.problems}
    operation["responses"] = {
        str(status): {"description": HTTPStatus(status).phrase} | ({"content": content} if content else {})
        for status, content in sorted(answers.items())
    }
    return operation


def _content(model: Model | None, kind: str) -> dict[str, Any]:
    return {} if model is None else {kind: {"schema": {"$ref": _REF.format(model=model.__name__)}}}
