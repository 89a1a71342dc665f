"""What tests of modelshelf, and of what is built on it, are made with. Shipped; imports no test framework."""
