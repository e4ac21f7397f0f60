"""From a source to the Library and its indexes."""
