"""One frozen value that says where the library is and how it behaves."""
