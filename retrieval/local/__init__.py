"""The rooms of the embedded index; `retrieval/local_index.py` is the door."""
