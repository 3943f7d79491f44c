"""The rooms of the served index; `retrieval/opensearch_index.py` is the door."""
