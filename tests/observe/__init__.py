"""What stopped plugins leave behind."""
