"""What the sender costs, and how close to the permitted rate it comes, beside the usual ways: `scripts/bench`."""
