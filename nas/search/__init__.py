"""The search behind `nas run`: configuration, proposals, the loop, active learning and successive halving."""
