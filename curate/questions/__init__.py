"""Questions about a finished run: what became of a document, what a step dropped, what another threshold would do."""
