"""How rows of foreign catalogues become movies; `retrieval/catalog.py` is the door."""
