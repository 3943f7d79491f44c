"""Graders and people: a language model as judge, labels, and how far graders agree."""
