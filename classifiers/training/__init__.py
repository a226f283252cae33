"""How the shipped models were made: one module a model, run as `python -m classifiers.training.NAME DATA -o FOLDER`.

Nothing here is imported when a model is used. Training needs the `fasttext` module and the data folder; the same data,
versions and seed give the same model, because fastText trains on one thread here.
"""
