"""What Usher knows out of the box (README.md), and the checks that keep it right (check.py)."""
