"""The mix: shares and a budget in, how often each document is written out."""
