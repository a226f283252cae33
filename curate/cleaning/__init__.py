"""One module a kind of cleaner; `curate.text` knows them by name and applies them in order."""
