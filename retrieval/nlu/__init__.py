"""What one utterance says, a kind of thing per module; understand.py puts it together."""
