"""HTML pages that need no server: the dashboard, two runs compared, and what a reader should know first."""
