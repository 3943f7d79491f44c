"""The text a model reads: Markdown with front matter, and one loader."""
