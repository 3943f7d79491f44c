"""Offline work on models and indexes; the only place besides one encoder file that may use torch."""
