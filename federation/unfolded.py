"""Makes JSON patches of admission policies that every version of Kubernetes can write as JSON.

From 1.37 on, policies see built-in kinds as Go structs. Neither those nor lists and maps in them can be the value of a
patch, unlike single values, and maps and lists that an expression makes of these. Source: ConvertToNative in
pkg/cel/common/valuesschemalesstyped.go of apiserver 0.37.2.
"""

LEVELS = 15
"""How many objects and lists lie within each other in a field of a built-in kind at the most: in a CronJob's spec."""
COPIED = 2
"""So many levels above single values are one patch: each of its values costs a fifth of what a patch of its own costs.

More levels would make most expressions no cheaper, and all of them longer.
"""


def _is_single(value: str) -> str:
    return f"type({value}) != map && type({value}) != list"


def _is_shallow(value: str, levels: int) -> str:
    """Whether a value has so many levels at the most."""
    if not levels:
        return _is_single(value)
    part = f"part{levels}"
    return f"({_is_single(value)} || {value}.all(key{levels}, {part}, {_is_shallow(part, levels - 1)}))"


def _copy(value: str, levels: int) -> str:
    """A value of so many levels at the most, made of its single values. CEL has no recursion."""
    if not levels:
        return value
    part = f"part{levels}"
    copied = _copy(part, levels - 1)
    of_map, of_list = f"{value}.transformMap(key{levels}, {part}, {copied})", f"{value}.map({part}, {copied})"
    return f"(type({value}) == map ? dyn({of_map}) : type({value}) == list ? dyn({of_list}) : dyn({value}))"


_SHALLOW = _is_shallow("patch.value", COPIED)
_EMPTY = "type(patch.value) == map ? dyn({}) : dyn([])"
_DONE = f"JSONPatch{{op: patch.op, path: patch.path, value: {_SHALLOW} ? {_copy('patch.value', COPIED)} : {_EMPTY}}}"
_PARTS = (
    "patch.value.transformList(key, part, "
    'JSONPatch{op: "add", path: patch.path + "/" + jsonpatch.escapeKey(string(key)), value: part})'
)
# Of a pair of lists: the patches that are finished, and those that may have parts.
_STEP = f".map(pair, [pair[0] + pair[1].map(patch, {_DONE}), pair[1].map(patch, !{_SHALLOW}, {_PARTS}).flatten()])"


def unfolded(patches: str) -> str:
    """The expression of patches that do the same: the outer ones first, which add what is empty, or what is shallow.

    `patches` is the expression of a list of patches with values. Its parts below the last level stay as they are.
    """
    return f"[[[], {patches}]]{_STEP * (LEVELS - COPIED + 1)}.map(pair, pair[0] + pair[1])[0]"
