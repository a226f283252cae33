"""Which shares of the classes make reference texts most likely, without training a model for each candidate."""
