"""What is wrong with plugins, found without importing them: rules over files and metadata."""
