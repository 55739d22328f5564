"""files dropped on a page -> what their noise is, a preview that answers at once, and clean files to take home."""
