"""What a person calls: one module, or one folder, for each word of `redroad`."""
