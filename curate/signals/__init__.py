"""Signals: numbers and flags measured on a document, one module a family, each with its definition and source."""

from curate.signals.definition import Signal
from curate.signals.documents import Documents
from curate.signals.registry import common, compute, registry, signal

__all__ = ["Documents", "Signal", "common", "compute", "registry", "signal"]
