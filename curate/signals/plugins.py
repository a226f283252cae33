"""Users' own signals: Python functions over Arrow strings, registered with `@curate.signal`, found in files, modules or
installed packages.

Runs code that the user names or has installed, and isolates nothing; what a signal means is the user's business.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from classifiers.arrow import to_array
from curate.errors import CurateError, PluginError, did_you_mean
from curate.recipe.recipe import BASE_COLUMNS, DECISION_COLUMNS
from curate.shipped import local_copy
from curate.signals.definition import DTYPES, DType, Signal
from curate.signals.documents import Documents

GROUP = "curate.signals"  # of entry points

Function = TypeVar("Function", bound=Callable[..., Any])

_ARROW = {"int64": pa.int64(), "float32": pa.float32(), "bool": pa.bool_(), "string": pa.string()}
_lock = threading.RLock()


@dataclass(frozen=True, kw_only=True)
class UserSignal(Signal):
    """A signal of the user's: `plugin` is the file or module it comes from, `digest` a hash of its source."""

    plugin: str
    module: str
    digest: str


_registered: dict[str, UserSignal] = {}


def signal(
    name: str,
    *,
    dtype: DType,
    unit: str,
    definition: str,
    source: str = "",
    low: float | None = None,
    high: float | None = None,
    example: tuple[str, float | int | bool | str] | None = None,
    version: str = "",
) -> Callable[[Function], Function]:
    """Register a function as a signal that recipes can name; the function itself stays as it is.

    The function gets the cleaned texts of a batch as a `pyarrow.LargeStringArray` without nulls and returns as many
    values: a numpy or Arrow array (or anything that Arrow reads as one) of `dtype` "int64", "float32", "bool" or
    "string". Null and NaN mean that a document has no value. It is called from several threads at a time, and a
    value may depend on the text only, never on the other texts of the batch.

    `unit`, `definition` (one sentence), `source`, `low`, `high` and `example` (a text and its value) are what
    `curate signals` says of it. The documents of a run are measured again when the file that defines the function
    has changed, or `version`, which stands for whatever else the values depend on.

    Raises PluginError for a name that is taken or a definition that is incomplete.
    """

    def register(function: Function) -> Function:
        _check(name, dtype, unit, definition)
        module, plugin = _origin(function)
        compute = functools.partial(_values, name, dtype, plugin, function)
        made = UserSignal(name, dtype, unit, definition, source or f"plugin {plugin}", compute, example, low, high,
                          plugin=plugin, module=module, digest=_digest(function, version))  # fmt: skip
        with _lock:
            _check_free(made, function)
            _registered[name] = made
        _forget_registry()
        return function

    return register


def registered() -> Mapping[str, UserSignal]:
    """Return the users' signals by name, those of installed packages included."""
    _load_installed()
    return _registered


def load(plugin: str | Path) -> str:
    """Import a plugin, the path of a .py file or the name of a module; return the name to remember it by.

    A file that has changed since is run again. Raises PluginError when it cannot be imported or registers no signal.
    """
    name = str(plugin)
    is_file = name.endswith(".py") or Path(name).is_file()
    with _lock:
        module = _import_file(Path(name)) if is_file else _import_module(name)
    known = {entry.module for entry in _registered.values()}
    if not any(item == module or item.startswith(f"{module}.") for item in known):
        raise PluginError(f'plugin "{name}" registers no signal; decorate a function with @curate.signal(…)')
    return str(Path(name).absolute()) if is_file else name


def ensure(plugins: Sequence[str], names: Sequence[str]) -> None:
    """Load plugins unless every signal named is known: for tasks that run in another process."""
    from curate.signals.registry import registry

    if any(name not in registry() for name in names):
        for plugin in plugins:
            load(plugin)


@functools.cache
def _load_installed() -> None:
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:
            package = entry.dist.name if entry.dist else entry.value
            raise PluginError(
                f'plugin "{entry.name}" of the package {package} cannot be loaded: {_told(error)}; mend it, or: '
                f"pip uninstall {package}"
            ) from error


def _import_module(name: str) -> str:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise PluginError(
                f'no plugin "{name}": there is no such module in this Python; give the path of its .py file, or '
                "install its package"
            ) from None
        raise PluginError(f'plugin "{name}" cannot be loaded: {_told(error)}') from error
    except Exception as error:
        raise PluginError(f'plugin "{name}" cannot be loaded: {_told(error)}') from error
    return name


_files: dict[Path, bytes] = {}


def _import_file(path: Path) -> str:
    """Run a file as a module, once for each content that it has had."""
    path = path.absolute()
    module = f"curate_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    try:
        content = local_copy(path).read_bytes()
    except OSError as error:
        raise PluginError(f'no plugin "{path}": {error.strerror}; --plugin is a .py file or a module') from None
    if _files.get(path) == content:
        return module
    before = {name: entry for name, entry in _registered.items() if entry.module == module}
    _forget(module)
    try:
        _run(module, path, content)
    except (Exception, SystemExit) as error:
        _forget(module)
        _registered.update(before)
        if isinstance(error, CurateError):
            raise PluginError(f'plugin "{path}": {error}') from None
        raise PluginError(f'plugin "{path}" cannot be loaded: {_told(error, str(path))}') from error
    finally:
        _forget_registry()
    _files[path] = content
    return module


def _run(name: str, path: Path, content: bytes) -> None:
    """Run the source itself: Python's own loader would take a change within the same second for none."""
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise


def _forget(module: str) -> None:
    for name in [name for name, entry in _registered.items() if entry.module == module]:
        del _registered[name]


def _forget_registry() -> None:
    from curate.signals.registry import registry

    registry.cache_clear()


def _check(name: str, dtype: str, unit: str, definition: str) -> None:
    where = f'@curate.signal("{name}")'
    if not isinstance(name, str) or not name.isidentifier():
        raise PluginError(f"{where}: the name of a signal is letters, digits and underscores")
    if dtype not in DTYPES:
        raise PluginError(f'{where}: unknown dtype "{dtype}"{did_you_mean(str(dtype), DTYPES)} ({", ".join(DTYPES)})')
    for key, value in (("unit", unit), ("definition", definition)):
        if not isinstance(value, str) or not value.strip():
            raise PluginError(f"{where}: {key} says what the signal is; it cannot be empty")


def _check_free(made: UserSignal, function: Callable[..., Any]) -> None:
    """Raise PluginError when the name is taken, unless by an earlier version of the same function."""
    from curate.signals.registry import families

    shipped = {entry.name for family in families().values() for entry in family}
    if made.name in shipped or made.name in (*BASE_COLUMNS, *DECISION_COLUMNS):
        raise PluginError(f'signal "{made.name}" ({made.plugin}): curate has a column of that name; choose another')
    there = _registered.get(made.name)
    if there is None:
        return
    same = _function(there), there.module
    if same != (_named(function), made.module):
        raise PluginError(f'signal "{made.name}" ({made.plugin}): {there.plugin} has one of that name; rename one')


def _function(entry: UserSignal) -> str:
    return _named(entry.compute.args[-1])  # type: ignore[attr-defined]


def _named(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the module of a function, and what to call the place it comes from: the file, if there is one."""
    module = str(getattr(function, "__module__", type(function).__module__))
    return module, getattr(sys.modules.get(module), "__file__", None) or module


def _digest(function: Callable[..., Any], version: str) -> str:
    """Return a hash of the file that defines a function; of its compiled code, where it was typed in."""
    _, place = _origin(function)
    if Path(place).is_file():
        facts: Any = hashlib.sha256(Path(place).read_bytes()).hexdigest()
    else:
        code = getattr(inspect.unwrap(function), "__code__", None)
        facts = _facts(code) if code else _named(function)
    return hashlib.sha256(repr((facts, version)).encode()).hexdigest()


def _facts(code: CodeType) -> Any:
    constants = [_facts(item) if isinstance(item, CodeType) else repr(item) for item in code.co_consts]
    return code.co_code.hex(), code.co_names, constants


def _told(error: BaseException, place: str = "") -> str:
    """Return an exception as its type, its text and the line of the plugin that it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == place]
    at = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{at}"


def _values(name: str, dtype: str, plugin: str, function: Callable[..., Any], documents: Documents) -> pa.Array:
    """Call a user's function on a batch; PluginError for what it raises and for what it returns."""
    where = f'signal "{name}" ({plugin})'
    texts = to_array(documents.strings)
    try:
        returned = function(texts)
    except (Exception, SystemExit) as error:
        raise PluginError(f"{where} failed: {_told(error, plugin)}") from error
    if hasattr(returned, "to_arrow"):
        returned = returned.to_arrow()
    try:
        column = returned if isinstance(returned, pa.Array | pa.ChunkedArray) else pa.array(returned, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        kind = type(returned).__name__
        raise PluginError(f"{where} returned {kind}, which is no array of {dtype}: {str(error)[:200]}") from None
    if len(column) != len(texts):
        raise PluginError(f"{where} returned {len(column)} values for {len(texts)} texts; return one for each")
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (_fits(column.type, dtype) or column.null_count == len(column)):
        raise PluginError(f"{where} returned {column.type}, not {dtype}; convert it, or declare what it returns")
    try:
        column = column.cast(_ARROW[dtype], safe=dtype != "float32")
    except pa.ArrowException as error:
        raise PluginError(f"{where}: not every value is {dtype}: {error}") from None
    if dtype == "float32" and pc.any(pc.is_nan(column)).as_py():
        column = pc.if_else(pc.is_nan(column), None, column)
    return column


def _fits(given: pa.DataType, dtype: str) -> bool:
    kinds = pa.types
    return bool({
        "int64": kinds.is_integer,
        "float32": lambda kind: kinds.is_integer(kind) or kinds.is_floating(kind),
        "bool": kinds.is_boolean,
        "string": lambda kind: kinds.is_string(kind) or kinds.is_large_string(kind) or kind == pa.string_view(),
    }[dtype](given))  # fmt: skip
