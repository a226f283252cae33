"""Classifiers made from, and used on, corpora: label, train, evaluate, score, inspect.

Reads documents from shards and hands texts to the package `classifiers`, which knows no shards.
"""
