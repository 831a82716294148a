"""`redroad support-bundle`: the file, and what is redacted from it."""
