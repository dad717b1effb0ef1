"""The page at /docs: the OpenAPI document for people; it loads nothing else."""

from collections.abc import Iterable
from html import escape
from typing import Any

from chekt_provider.emulator.settings import Switches

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }}
h2 {{ margin-top: 3rem; border-bottom: 1px solid #ccc }}
h3 {{ font-size: 1rem; margin: 2rem 0 .5rem }}
code {{ font-family: ui-monospace, monospace; overflow-wrap: anywhere }}
table {{ border-collapse: collapse; width: 100% }}
td {{ border-top: 1px solid #ddd; padding: .25rem .75rem .25rem 0; vertical-align: top }}
td:first-child {{ width: 16rem }}
</style></head><body>
<h1>{title}</h1><p>{about}</p>
<p>The same as data: <a href="/openapi.json">/openapi.json</a>. Contents:</p><ul>{contents}</ul>
{sections}
</body></html>
"""


def page(document: dict[str, Any], switches: Switches) -> str:
    """Write the page for an OpenAPI document and the switches as they stand."""
    sections: dict[str, str] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation["tags"][0]
            sections[tag] = sections.get(tag, "") + _operation(document, f"{method.upper()} {path}", operation)
    sections["Switches"] = _switches(switches)
    fault = document["components"]["schemas"]["Fault"]
    sections["Faults"] = f"<pre>{escape(fault['description'])}</pre>{_table(_fields(fault))}"
    return _PAGE.format(
        title=escape(document["info"]["title"]),
        about=escape(document["info"]["description"]),
        contents="".join(f'<li><a href="#{_anchor(name)}">{escape(name)}</a></li>' for name in sections),
        sections="".join(f'<h2 id="{_anchor(name)}">{escape(name)}</h2>{text}' for name, text in sections.items()),
    )


def _operation(document: dict[str, Any], call: str, operation: dict[str, Any]) -> str:
    rows = [
        (parameter["name"], f"{parameter['in']} · {_type(parameter['schema'])}", parameter.get("description", ""))
        for parameter in operation.get("parameters", [])
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        rows += _fields(_resolved(document, content["schema"]))
    statuses = "; ".join(f"{status} {answer['description']}" for status, answer in operation["responses"].items())
    about = operation.get("description", "")
    return f"<h3><code>{escape(call)}</code></h3><p>{escape(about)}</p>{_table(rows)}<p>Answers: {escape(statuses)}</p>"


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    required = schema.get("required", [])
    return [
        (name, _type(field) + (" · required" if name in required else ""), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]


def _switches(switches: Switches) -> str:
    """List the switches: name, values, present value, meaning."""
    now = switches.model_dump()
    return _table(
        (name, f"{_type(field)}; now {now[name]}", field["description"])
        for name, field in Switches.model_json_schema()["properties"].items()
    )


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"].get(name, schema)
    return found


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    return str(schema.get("const", schema.get("type", "")))


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(text)}</td></tr>"
        for name, kind, text in rows
    )
    return f"<table>{cells}</table>" if cells else ""


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-").replace("'", "")
