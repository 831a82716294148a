"""Tells: Orders become LED text, voice and beacon; without Orders, the neutral text."""
