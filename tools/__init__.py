"""Programs for those who work on this repository; nothing that ships or is tested imports them, but for their tests."""
