"""Makes JSON patches of admission policies that every version of Kubernetes can write as JSON.

From 1.37 on, policies see built-in kinds as Go structs. Neither those nor lists and maps in them can be the value of a
patch, unlike single values. Source: ConvertToNative in pkg/cel/common/valuesschemalesstyped.go of apiserver 0.37.2.
"""

LEVELS = 15
"""How many objects and lists lie within each other in a field of a built-in kind at the most: in a CronJob's spec."""

_IS_MAP, _IS_LIST = (f"type(patch.value) == {kind}" for kind in ("map", "list"))
_EMPTIED = " : ".join(
    f"{is_one} ? JSONPatch{{op: patch.op, path: patch.path, value: {empty}}}"
    for is_one, empty in ((_IS_MAP, "{}"), (_IS_LIST, "[]"))
)
_PARTS = (
    f"{_IS_MAP} || {_IS_LIST} ? patch.value.transformList(key, part, "
    'JSONPatch{op: "add", path: patch.path + "/" + jsonpatch.escapeKey(string(key)), value: part}) : []'
)
# Of a pair of lists: the patches that are finished, and those that may have parts. CEL has no recursion.
_STEP = f".map(pair, [pair[0] + pair[1].map(patch, {_EMPTIED} : patch), pair[1].map(patch, {_PARTS}).flatten()])"


def unfolded(patches: str) -> str:
    """The expression of patches that do the same: each adds an empty value or a single one, the outer ones first.

    `patches` is the expression of a list of patches with values. Its parts below the last level stay as they are.
    """
    return f"[[[], {patches}]]{_STEP * LEVELS}.map(pair, pair[0] + pair[1])[0]"
