"""What one record and one file may cost before they are refused: `--max-record-bytes`, `--max-expansion`.

Only the defaults; a module of its own because the command line shows them without loading what reads files.
"""

MAX_RECORD_BYTES = 256 << 20
"""Larger lines, texts and WARC records are rejected; this much of one is held in memory."""

MAX_EXPANSION = 500
"""Text becomes 3 to 30 times smaller when compressed; gzip makes zeros 1,030 times smaller, zstd and bz2 far more."""
