"""Stage 2: which documents are kept: the steps of a recipe, one after the other, on columns."""
