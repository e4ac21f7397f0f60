"""Ask questions of AI news and get answers whose every sentence cites its source."""
