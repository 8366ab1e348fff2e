"""Read a workflow's YAML as GitHub does: scalars stay text (`on`, `3.10`), and every key occurs once."""

from __future__ import annotations

from typing import Any

from minitorch._optional import require


class Text(str):
    """A scalar of a YAML file, with its line."""

    __slots__ = ("line",)
    line: int


def load(text: str) -> Any:
    """Return the dicts, lists and `Text` of a YAML document. An anchor and its aliases are the same object.

    Raises ValueError if it is not valid YAML, or if GitHub refuses it.
    """
    yaml = require("yaml", "Reading a workflow", "pip install pyyaml")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        return _value(root, {}) if root else None
    except yaml.YAMLError as error:
        raise ValueError(f"is not valid YAML: {' '.join(str(error).split())[:200]}") from error
    except RecursionError as error:
        raise ValueError("is not valid YAML for a workflow: it is nested too deeply") from error


def _value(node: Any, known: dict[int, Any]) -> Any:
    """Convert a node. `known` holds those that were converted, so that many aliases of an anchor cost no time."""
    if id(node) not in known:
        known[id(node)] = None  # for an anchor that contains its own alias
        known[id(node)] = _convert(node, known)
    return known[id(node)]


def _convert(node: Any, known: dict[int, Any]) -> Any:
    if node.id == "sequence":
        return [_value(item, known) for item in node.value]
    if node.id == "scalar":
        text = Text(node.value)
        text.line = node.start_mark.line + 1
        return text
    result, seen = {}, set()
    for key_node, value in node.value:
        key = _value(key_node, known)
        if not isinstance(key, Text):
            raise ValueError(f"is not valid YAML for a workflow: line {key_node.start_mark.line + 1} has no name")
        if key == "<<":
            raise ValueError(f"is refused by GitHub: line {key.line} has a merge key (`<<`). Write the keys out.")
        if key.casefold() in seen:
            raise ValueError(f"is refused by GitHub: line {key.line} has the key `{key}` a second time. Remove one.")
        seen.add(key.casefold())
        result[key] = _value(value, known)
    return result


def line_of(mapping: dict[str, Any], *names: str) -> int:
    """Return the line of the first of these keys that the mapping has, else the line of its first key."""
    keys = {str(key): key for key in mapping}
    found = next((keys[name] for name in names if name in keys), next(iter(mapping), None))
    return getattr(found, "line", 1)


def as_dict(value: Any) -> dict[str, Any]:
    """Return a mapping as it is, and an empty one for everything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, a single text as a list of one, and an empty list for everything else."""
    return value if isinstance(value, list) else [value] if isinstance(value, str) and value else []
